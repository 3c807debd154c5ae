// SPDX-License-Identifier: Apache-2.0
#include "core/site_rules.hpp"

#include "core/validate.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace sparkhost::detail {

namespace site {

/// Spark's own properties that are lists of files; the same as in Livy.
constexpr std::array<std::string_view, 10> file_lists{
    "spark.jars",     "spark.files",        "spark.yarn.dist.archives", "spark.submit.pyFiles",
    "spark.archives", "spark.yarn.archive", "spark.yarn.dist.files",    "spark.yarn.dist.jars",
    "spark.yarn.jar", "spark.yarn.jars"};

bool matches(std::string_view pattern, std::string_view key) {
    if (pattern.ends_with('*')) {
        pattern.remove_suffix(1);
        return key.starts_with(pattern);
    }
    return key == pattern;
}

Result<void> check_refused(const HostOptions& options, const BatchSpec& spec) {
    std::string refused;
    for (const auto& [key, value] : spec.conf) {
        const auto forbids = [&key = key](const std::string& pattern) {
            return matches(pattern, key);
        };
        if (std::ranges::any_of(options.refused_conf, forbids)) {
            refused += (refused.empty() ? "" : ", ") + key;
        }
    }
    if (refused.empty()) {
        return ok();
    }
    return Error(Errc::invalid_argument,
                 "Blacklisted configuration values in session config: " + refused, "conf");
}

int hex_digit(char c) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
    return lower >= '0' && lower <= '9'   ? lower - '0'
           : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                          : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                            hex_digit(text[i + 2]) >= 0;
        if (escape) {
            decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// Without ".", ".." and empty segments, and without a slash at the end: "/a/b", "" for the root.
std::string normalised(std::string_view path) {
    std::string normal;
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        const auto segment = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        if (segment == "..") {
            normal.resize(normal.empty() ? 0 : normal.rfind('/'));
        } else if (!segment.empty() && segment != ".") {
            normal += "/" + std::string(segment);
        }
    }
    return normal;
}

bool lies_in(const std::vector<std::string>& roots, std::string_view path) {
    const std::string normal = normalised(path);
    return std::ranges::any_of(roots, [&normal](const std::string& text) {
        const std::string root = normalised(text);
        return normal == root || normal.starts_with(root + "/");
    });
}

/// What stands behind the scheme of a local file; nothing for other schemes.
std::optional<std::string_view> local_part(std::string_view path) {
    if (path.starts_with('/')) {
        return path;
    }
    const auto colon = path.find(':');
    std::string scheme(path.substr(0, colon));
    std::ranges::transform(scheme, scheme.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
    if (colon == std::string_view::npos || (scheme != "file" && scheme != "local")) {
        return std::nullopt;
    }
    path.remove_prefix(colon + 1);
    if (path.starts_with("//")) {  // an authority
        path.remove_prefix(std::min(path.find('/', 2), path.size()));
    }
    return path;
}

Error outside(std::string_view path) {
    return Error(Errc::invalid_argument,
                 "Local path " + std::string(path) + " cannot be added to user sessions.");
}

/// "local:" is the driver's own disk, which is not this host's.
bool is_elsewhere(const Backend::Traits& backend, std::string_view path) {
    constexpr std::string_view scheme = "local:";
    return !backend.shares_files && path.size() >= scheme.size() &&
           std::ranges::equal(path.substr(0, scheme.size()), scheme, [](char left, char right) {
               return (left >= 'A' && left <= 'Z' ? char(left | 0x20) : left) == right;
           });
}

/// What the rules of a request's files are made of.
struct Site {
    const HostOptions& options;
    const Backend::Traits& backend;
};

Result<void> check_path(const Site& site, const std::string& path, std::string field) {
    const auto& roots = site.options.local_file_roots;
    if (roots.empty() || is_elsewhere(site.backend, path) || is_in_roots(roots, path)) {
        return ok();
    }
    Error error = outside(*local_part(path));
    error.field = std::move(field);
    return error;
}

Result<void> check_paths(const Site& site, const std::vector<std::string>& paths,
                         const std::string& field) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        auto checked = check_path(site, paths[i], field + "[" + std::to_string(i) + "]");
        if (!checked) {
            return checked;
        }
    }
    return ok();
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        std::string_view item = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto begin = item.find_first_not_of(" \t\r\n\f");
        if (begin != std::string_view::npos) {
            item.remove_prefix(begin);
            items.emplace_back(item.substr(0, item.find_last_not_of(" \t\r\n\f") + 1));
        }
    }
    return items;
}

/// The files that are named by properties obey the rules of those that are named by fields.
Result<void> check_listed(const Site& site, const BatchSpec& spec) {
    const auto& options = site.options;
    for (const auto& [key, value] : spec.conf) {
        const bool listed =
            std::ranges::find(file_lists, key) != file_lists.end() ||
            std::ranges::find(options.file_list_conf, key) != options.file_list_conf.end();
        if (!listed) {
            continue;
        }
        for (const std::string& path : split_list(value)) {
            if (auto valid = validate_path(path, "conf." + key); !valid) {
                return valid;
            }
            if (auto allowed = check_path(site, path, "conf." + key); !allowed) {
                return allowed;
            }
        }
    }
    return ok();
}

}  // namespace site

bool is_in_roots(const std::vector<std::string>& roots, const std::string& path) {
    const auto local = site::local_part(path);
    if (!local) {
        return true;
    }
    // Braces and backslashes can hide ".." from us in what Hadoop takes for a pattern; behind "//"
    // stands the name of a machine, or not, depending on who reads it.
    if (!local->starts_with('/') || local->find_first_of("{}\\") != std::string_view::npos ||
        path.starts_with("//")) {
        return false;
    }
    // Whether a path is decoded, and what its "#" and "?" mean, depends on who reads it, too.
    for (const char* ends : {"", "#", "?#"}) {
        std::string form(local->substr(0, local->find_first_of(ends)));
        for (std::string before; form != before; form = site::percent_decoded(before)) {
            if (!site::lies_in(roots, form)) {
                return false;
            }
            before = form;
        }
    }
    return true;
}

Result<void> apply_site_rules(const HostOptions& options, const Backend::Traits& backend,
                              BatchSpec& spec) {
    using namespace site;
    const Site rules{options, backend};
    struct Paths {
        const std::vector<std::string>& paths;
        const char* field;
    };
    if (auto allowed = check_refused(options, spec); !allowed) {
        return allowed;
    }
    if (auto allowed = check_path(rules, spec.file, "file"); !spec.file.empty() && !allowed) {
        return allowed;
    }
    for (const auto& [paths, field] :
         {Paths{spec.jars, "jars"}, Paths{spec.py_files, "pyFiles"}, Paths{spec.files, "files"},
          Paths{spec.archives, "archives"}}) {
        if (auto allowed = check_paths(rules, paths, field); !allowed) {
            return allowed;
        }
    }
    if (auto allowed = check_listed(rules, spec); !allowed) {
        return allowed;
    }
    std::erase_if(spec.conf, [](const auto& entry) { return entry.first.starts_with("livy."); });
    return ok();
}

Result<void> check_session_file(const HostOptions& options, const Backend::Traits& backend,
                                const std::string& uri, const std::string& own_folder) {
    if (auto valid = validate_path(uri, "uri"); !valid) {
        return valid;
    }
    if (!backend.shares_files || is_in_roots({own_folder}, uri)) {
        return ok();
    }
    const site::Site rules{options, backend};
    return site::check_path(rules, uri, "uri");
}

void add_default_conf(const HostOptions& options, BatchSpec& spec) {
    spec.conf.insert(options.default_conf.begin(), options.default_conf.end());
}

}  // namespace sparkhost::detail
