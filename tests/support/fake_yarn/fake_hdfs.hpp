// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_FAKE_HDFS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_FAKE_HDFS_HPP

// Two NameNodes, of which one is active, and a DataNode as WebHDFS shows them, with all files in
// memory.

#include "support/fake_cluster/http_message.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

class Hdfs {
public:
    struct Entry {
        bool is_folder{false};
        std::string bytes{};
        std::string owner{"hdfs"};
        int permission{0755};
        std::int64_t modified_ms{0};
    };
    Hdfs();

    HttpAnswer name_node(std::size_t index, const HttpRequest& request);
    HttpAnswer data_node(const HttpRequest& request);

    /// Null: it is not there.
    const Entry* find(const std::string& path) const;
    /// Folders on the way are made.
    void put(const std::string& path, std::string bytes, const std::string& owner = "hdfs");
    bool remove(const std::string& path);
    /// All files and folders below.
    std::vector<std::string> below(const std::string& folder) const;
    /// Why `user` must not read it; empty: it may.
    std::string reading_refused(const std::string& path, const std::string& user) const;

    std::size_t active{0};  ///< which NameNode is
    bool is_in_safe_mode{false};
    bool has_no_room{false};
    std::string data_node_address{};  ///< "127.0.0.1:9864"

private:
    struct Asked {
        std::string path{};
        std::string user{};
    };
    HttpAnswer make_folders(const HttpRequest& request, const Asked& asked);
    HttpAnswer create(const HttpRequest& request, const Asked& asked);
    HttpAnswer append(const HttpRequest& request, const Asked& asked);
    HttpAnswer to_data_node(const HttpRequest& request, const Asked& asked) const;
    HttpAnswer status(const Asked& asked) const;
    HttpAnswer list(const Asked& asked) const;
    HttpAnswer erase(const HttpRequest& request, const Asked& asked);
    HttpAnswer open(const HttpRequest& request, const Asked& asked) const;
    HttpAnswer change(const HttpRequest& request, const Asked& asked, const std::string& operation);

    Asked read(const HttpRequest& request);
    std::string refused(const std::string& path, const std::string& user, int wanted) const;
    std::string writing_refused(const Asked& asked) const;
    void make_folder(const std::string& path, const std::string& owner, int permission);
    std::int64_t now();

    std::map<std::string, Entry> entries_{};
    std::int64_t last_time_{0};
};

}  // namespace sparkhost::test::yarn

#endif
