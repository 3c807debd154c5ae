// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/staging.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/spark_conf.hpp"
#include "backends/yarn/shared_files.hpp"
#include "backends/yarn/webhdfs.hpp"
#include "hop.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::uint64_t read_at_once = 1u << 20;

struct StagedPlace {
    bool hdfs{false};
    std::string path{};
};

bool is_path_inside(std::string_view path) {
    const bool printable = std::none_of(path.begin(), path.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    const std::string guarded = std::string(path) + "/";
    return printable && path.starts_with('/') &&
           path.find_first_not_of('/') != std::string_view::npos &&
           guarded.find("/../") == std::string::npos && guarded.find("/./") == std::string::npos;
}

/// "file:///…", "file:/…", "file://localhost/…": another host's files are not here.
bool names_this_host(std::string_view uri) {
    const auto slashes = uri.find("//");
    if (slashes != uri.find('/')) {
        return true;
    }
    const auto authority = uri.substr(slashes + 2, uri.find('/', slashes + 2) - slashes - 2);
    return authority.empty() || authority == "localhost";
}

Result<StagedPlace> read_staged_uri(const std::string& uri) {
    const std::string scheme = uri_scheme(uri);
    const auto refused = [&uri](const std::string& why) {
        return Error(Errc::invalid_argument, "\"" + uri + "\" " + why);
    };
    if (scheme != "hdfs" && scheme != "file") {
        return refused("must be an hdfs: or a file: URI");
    }
    StagedPlace place;
    place.hdfs = scheme == "hdfs";
    place.path = uri_path(uri);
    while (place.path.size() > 1 && place.path.ends_with('/')) {
        place.path.pop_back();
    }
    if (!is_path_inside(place.path)) {
        return refused("must have an absolute path, and not that of the root");
    }
    if (!place.hdfs && !names_this_host(uri)) {
        return refused("is about another host's files");
    }
    return place;
}

Awaitable<std::string> held_part(std::shared_ptr<const std::string> held, std::uint64_t offset) {
    co_return held->substr(offset, read_at_once);
}

std::shared_ptr<const http::BodySource> source_of(std::string bytes) {
    auto source = std::make_shared<http::BodySource>();
    source->size = bytes.size();
    auto held = std::make_shared<const std::string>(std::move(bytes));
    source->read = [held](std::uint64_t offset) { return held_part(held, offset); };
    return source;
}

/// A file of the host that is read as it is sent.
struct SentFile {
    std::string path{};
    UniqueFd fd{};
    std::uint64_t size{0};
    Error failure{};  ///< of reading it
};

Result<std::shared_ptr<SentFile>> open_sent_file(const std::string& path) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) {
        return errno_error("look at", path, errno);
    }
    auto file = std::make_shared<SentFile>();
    file->path = path;
    file->fd = std::move(*fd);
    file->size = static_cast<std::uint64_t>(status.st_size);
    return file;
}

Result<std::string> read_sent_file(const SentFile& file, std::uint64_t offset) {
    std::string bytes(std::min(read_at_once, file.size - offset), '\0');
    ssize_t got = 0;
    do {
        got = ::pread(file.fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno_error("read", file.path, errno);
    }
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
}

Awaitable<std::string> read_part(asio::any_io_executor pool, std::shared_ptr<SentFile> file,
                                 std::uint64_t offset) {
    auto work = [file, offset] { return read_sent_file(*file, offset); };
    Result<std::string> bytes = co_await run_blocking(pool, std::move(work));
    if (!bytes) {
        file->failure = bytes.error();
    }
    co_return bytes;
}

}  // namespace

struct Staging::Impl {
    Impl(asio::any_io_executor executor, const Options& options)
        : pool(options.blocking_executor ? options.blocking_executor : executor),
          hdfs(std::make_shared<WebHdfs>(executor, options)) {}

    asio::any_io_executor pool;
    std::shared_ptr<WebHdfs> hdfs;
};

Staging::Staging(boost::asio::any_io_executor executor, Options options)
    : impl_(std::make_shared<Impl>(std::move(executor), options)) {}

Staging::~Staging() = default;

Awaitable<void> Staging::make_folder(Self self, std::string user, std::string uri) {
    const auto place = read_staged_uri(uri);
    if (!place) {
        co_return place.error();
    }
    if (place->hdfs) {
        co_return co_await WebHdfs::make_folder(self->impl_->hdfs, std::move(user), place->path);
    }
    auto work = [path = place->path] { return detail::make_folder(path); };
    co_return co_await run_blocking(self->impl_->pool, std::move(work));
}

Awaitable<FileStatus> Staging::put(Self self, std::string user, std::string uri,
                                   std::string bytes) {
    const auto place = read_staged_uri(uri);
    if (!place) {
        co_return place.error();
    }
    if (place->hdfs) {
        auto source = source_of(std::move(bytes));
        co_return co_await WebHdfs::write(self->impl_->hdfs, std::move(user), place->path,
                                          std::move(source));
    }
    auto work = [path = place->path, content = std::move(bytes)] {
        return write_shared_file(path, content);
    };
    co_return co_await run_blocking(self->impl_->pool, std::move(work));
}

Awaitable<FileStatus> Staging::copy(Self self, std::string user, std::string uri,
                                    std::string path) {
    const auto place = read_staged_uri(uri);
    if (!place) {
        co_return place.error();
    }
    const asio::any_io_executor pool = self->impl_->pool;
    if (!place->hdfs) {
        auto work = [to = place->path, path] { return copy_shared_file(to, path); };
        co_return co_await run_blocking(pool, std::move(work));
    }
    auto open = [path] { return open_sent_file(path); };
    Result<std::shared_ptr<SentFile>> file = co_await run_blocking(pool, std::move(open));
    if (!file) {
        co_return file.error();
    }
    auto source = std::make_shared<http::BodySource>();
    source->size = (*file)->size;
    source->read = [pool, sent = *file](std::uint64_t offset) {
        return read_part(pool, sent, offset);
    };
    Result<FileStatus> status =
        co_await WebHdfs::write(self->impl_->hdfs, std::move(user), place->path, std::move(source));
    if (!status && (*file)->failure.code.failed()) {
        co_return (*file)->failure;
    }
    co_return status;
}

Awaitable<FileStatus> Staging::status(Self self, std::string user, std::string uri) {
    const auto place = read_staged_uri(uri);
    if (!place) {
        co_return place.error();
    }
    if (place->hdfs) {
        co_return co_await WebHdfs::status(self->impl_->hdfs, std::move(user), place->path);
    }
    auto work = [path = place->path] { return shared_file_status(path); };
    co_return co_await run_blocking(self->impl_->pool, std::move(work));
}

Awaitable<void> Staging::remove(Self self, std::string user, std::string uri) {
    const auto place = read_staged_uri(uri);
    if (!place) {
        co_return place.error();
    }
    if (place->hdfs) {
        co_return co_await WebHdfs::remove(self->impl_->hdfs, std::move(user), place->path);
    }
    auto work = [path = place->path] { return remove_tree(path); };
    co_return co_await run_blocking(self->impl_->pool, std::move(work));
}

}  // namespace sparkhost::detail::yarn
