// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_STAGING_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_STAGING_HPP

#include "http/client.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::detail::yarn {

/// As a NodeManager compares it: it refuses a file whose time is another one.
struct FileStatus {
    std::int64_t size{0};
    std::int64_t modified_ms{0};
};

/// Where applications and the host hand over files: hdfs: URIs by WebHDFS, file: URIs directly. For
/// one strand. Files are made 0644 in folders of mode 0700, as spark-submit does it; writing one
/// again replaces it. Errors of all: not_found – it is not there; invalid_argument – a URI of
/// another kind; rejected – no room; indeterminate – could not be asked now; backend_failed –
/// refused, with the file system's words.
class Staging {
public:
    struct Options {
        std::vector<std::string> webhdfs{};  ///< the NameNodes' web addresses
        std::chrono::milliseconds request_deadline{};
        http::ClientOptions http{};  ///< but for the URL
        boost::asio::any_io_executor blocking_executor{};
    };
    /// Throws std::invalid_argument: a URL is wrong.
    Staging(boost::asio::any_io_executor executor, Options options);
    ~Staging();

    using Self = std::shared_ptr<Staging>;
    static Awaitable<void> make_folder(Self self, std::string user, std::string uri);
    /// Writes `bytes`.
    static Awaitable<FileStatus> put(Self self, std::string user, std::string uri,
                                     std::string bytes);
    /// Writes what is in the host's file `path`, in parts.
    static Awaitable<FileStatus> copy(Self self, std::string user, std::string uri,
                                      std::string path);
    static Awaitable<FileStatus> status(Self self, std::string user, std::string uri);
    /// A folder with all that is in it. Success where there is none.
    static Awaitable<void> remove(Self self, std::string user, std::string uri);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sparkhost::detail::yarn

#endif
