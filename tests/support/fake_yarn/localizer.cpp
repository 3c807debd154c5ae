// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/localizer.hpp"

#include "support/temp_dir.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <system_error>

namespace sparkhost::test::yarn {

namespace json = boost::json;

namespace localizer_detail {

struct Found {
    std::string bytes{};
    std::int64_t modified_ms{0};
};

std::string path_of(const std::string& uri) {
    const auto scheme = uri.find("://");
    if (scheme == std::string::npos) {
        return uri.substr(uri.find(':') + 1);
    }
    const auto slash = uri.find('/', scheme + 3);
    return slash == std::string::npos ? "/" : uri.substr(slash);
}

std::optional<Found> find_file(const std::string& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) {
        return std::nullopt;
    }
    const std::int64_t milliseconds = seen.st_mtim.tv_sec * 1000 + seen.st_mtim.tv_nsec / 1'000'000;
    return Found{read_text(path), milliseconds};
}

std::optional<Found> find_file(const Hdfs& hdfs, const std::string& path) {
    const auto* entry = hdfs.find(path);
    if (!entry || entry->is_folder) {
        return std::nullopt;
    }
    return Found{entry->bytes, entry->modified_ms};
}

std::string no_such(const std::string& uri) {
    return "java.io.FileNotFoundException: File " + uri + " does not exist";
}

}  // namespace localizer_detail

using namespace localizer_detail;

std::map<std::string, json::value> entries_of(const json::object& object, const std::string& name) {
    std::map<std::string, json::value> entries;
    const auto* holder = object.if_contains(name);
    if (holder && holder->is_object() && holder->as_object().contains("entry")) {
        for (const auto& each : holder->at("entry").as_array()) {
            entries[json::value_to<std::string>(each.at("key"))] = each.at("value");
        }
    }
    return entries;
}

Localized localize(const Hdfs& hdfs, const Application& application) {
    Localized got;
    const auto& container = application.context.at("am-container-spec").as_object();
    for (const auto& [link, resource] : entries_of(container, "local-resources")) {
        const auto uri = json::value_to<std::string>(resource.at("resource"));
        const auto size = resource.at("size").to_number<std::int64_t>();
        const auto time = resource.at("timestamp").to_number<std::int64_t>();
        const bool is_hdfs = uri.starts_with("hdfs:");
        if (!is_hdfs && !uri.starts_with("file:")) {
            got.failure = "No FileSystem for scheme of " + uri;
            return got;
        }
        const auto path = path_of(uri);
        const auto found = is_hdfs ? find_file(hdfs, path) : find_file(path);
        if (const auto words = hdfs.reading_refused(path, application.user);
            is_hdfs && !words.empty()) {
            got.failure = "org.apache.hadoop.security.AccessControlException: " + words;
            return got;
        }
        if (!found) {
            got.failure = no_such(uri);
            return got;
        }
        if (found->modified_ms != time) {
            got.failure = "java.io.IOException: Resource " + uri +
                          " changed on src filesystem (expected " + std::to_string(time) +
                          ", was " + std::to_string(found->modified_ms);
            return got;
        }
        if (static_cast<std::int64_t>(found->bytes.size()) != size) {
            got.sin = uri + " has another size than was told";
        }
        got.files[link] = found->bytes;
    }
    return got;
}

void remove_tree(Hdfs& hdfs, const std::string& uri) {
    if (uri.starts_with("hdfs:")) {
        hdfs.remove(path_of(uri));
    } else if (uri.starts_with("file:")) {
        std::error_code ignored;
        std::filesystem::remove_all(path_of(uri), ignored);
    }
}

}  // namespace sparkhost::test::yarn
