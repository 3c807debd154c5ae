// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_WEBHDFS_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_WEBHDFS_HPP

#include "backends/yarn/staging.hpp"
#include "http/client.hpp"
#include "http/places.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace sparkhost::detail::yarn {

/// Files in HDFS by its REST interface: the NameNode that is active says what is where, bytes go to
/// a DataNode to which it sends us. Everything may be asked twice. For one strand. Errors: as
/// Staging has them.
class WebHdfs {
public:
    /// Throws std::invalid_argument: a URL is wrong.
    WebHdfs(boost::asio::any_io_executor executor, const Staging::Options& options);

    using Self = std::shared_ptr<WebHdfs>;
    static Awaitable<void> make_folder(Self self, std::string user, std::string path);
    static Awaitable<FileStatus> write(Self self, std::string user, std::string path,
                                       std::shared_ptr<const http::BodySource> source);
    static Awaitable<FileStatus> status(Self self, std::string user, std::string path);
    static Awaitable<void> remove(Self self, std::string user, std::string path);

private:
    struct Asked {
        std::string url{};  ///< of the NameNode that has answered
        http::Response response{};
    };
    static Awaitable<Asked> ask(Self self, std::string method, std::string target);
    static Awaitable<void> send(Self self, std::string location,
                                std::shared_ptr<const http::BodySource> source);

    std::chrono::milliseconds request_deadline_;
    std::shared_ptr<http::Places> name_nodes_;
    http::ClientTable data_nodes_;
};

}  // namespace sparkhost::detail::yarn

#endif
