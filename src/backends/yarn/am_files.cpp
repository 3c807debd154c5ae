// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_files.hpp"

#include "backends/common/spark_conf.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

Error refuse_file(std::string rule, std::string field) {
    return Error(Errc::invalid_argument, std::move(rule), std::move(field));
}

std::string name_of(std::string_view path) {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return std::string(path.substr(path.rfind('/') + 1));
}

/// What needs no quotes in a shell and no escapes in a URI, and is no option of a program.
bool is_plain_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte < 0x80 && (std::isalnum(byte) || std::string_view("._-+=@~").find(c) !=
                                                                std::string_view::npos);
           });
}

/// Names that YARN, Spark or the guard give to what they put into a container's folder.
bool is_taken_name(std::string_view name) {
    return name.starts_with("__") || name == "tmp" || name == "sparkhost" ||
           name == "container_tokens" || name.starts_with("launch_container.") ||
           name.starts_with("default_container_executor");
}

/// One file of a list, and where the list stands in the request.
struct ListedFile {
    std::string uri;
    std::string field;
};

/// A property's list, then the field's own.
std::vector<ListedFile> listed(const YarnBackendOptions& options, const BatchSpec& spec,
                               const std::string& key, const std::vector<std::string>& list,
                               const std::string& field) {
    std::vector<ListedFile> files;
    const auto own = spec.conf.find(key);
    const auto general = options.conf.find(key);
    std::string_view rest = own != spec.conf.end()          ? std::string_view(own->second)
                            : general != options.conf.end() ? std::string_view(general->second)
                                                            : std::string_view();
    while (!rest.empty()) {
        const auto end = std::min(rest.find(','), rest.size());
        std::string_view uri = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        uri.remove_prefix(std::min(uri.find_first_not_of(" \t"), uri.size()));
        uri = uri.substr(0, uri.find_last_not_of(" \t") + 1);
        if (!uri.empty()) {
            files.push_back({std::string(uri), "conf." + key});
        }
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
        files.push_back({list[i], field + "[" + std::to_string(i) + "]"});
    }
    return files;
}

/// A file by where it comes from.
struct Origin {
    std::string source{};  ///< of `local` ones the path on the nodes
    std::string link{};    ///< its alias, else its name
    bool copied{false};
    bool local{false};
};

/// The URI with its scheme as everybody writes it; empty: it names no file.
std::string hdfs_file(std::string_view uri) {
    std::string_view path = uri.substr(uri.find(':') + 1);
    if (path.starts_with("//")) {
        path.remove_prefix(std::min(path.find('/', 2), path.size()));
    }
    const bool encoded = uri.find_first_of("%?\\\"<>{}|^` ,") != std::string_view::npos;
    const bool is_file = path.starts_with('/') && !path.ends_with('/') && !encoded;
    return is_file ? "hdfs" + std::string(uri.substr(4)) : std::string();
}

Result<Origin> origin_of(const YarnBackendOptions& options, const std::string& uri,
                         const std::string& field) {
    if (has_control_character(uri)) {
        return refuse_file("must not contain control characters", field);
    }
    const auto hash = uri.find('#');
    const std::string file = uri.substr(0, hash);
    Origin origin;
    const std::string scheme = uri_scheme(file);
    if (scheme == "hdfs") {
        if (options.webhdfs.empty()) {
            return refuse_file("HDFS is not set up on this server: its option webhdfs is empty",
                               field);
        }
        origin.source = hdfs_file(file);
    } else if (file.starts_with('/') || scheme == "file" || scheme == "local") {
        origin.local = scheme == "local";
        origin.copied = !origin.local;
        origin.source = local_path(file);
    }
    if (origin.source.empty() || origin.source.back() == '/') {
        return refuse_file(
            "must be a file of this host (an absolute path or file:), of HDFS (hdfs:, of letters "
            "that need no escapes), or of every node (local:)",
            field);
    }
    origin.link = hash == std::string::npos ? name_of(origin.source) : uri.substr(hash + 1);
    return origin;
}

/// The list of resources in the making.
class Folder {
public:
    /// Nothing is added twice: the same again is taken for granted.
    Result<void> add(PlannedResource resource, const std::string& field) {
        for (auto& each : resources) {
            if (each.link != resource.link) {
                continue;
            }
            if (each.source != resource.source || each.archive != resource.archive) {
                return refuse_file("another file has the name \"" + resource.link +
                                       "\" in the containers: give this one an alias (\"…#alias\")",
                                   field);
            }
            each.for_executors = each.for_executors || resource.for_executors;
            return ok();
        }
        resources.push_back(std::move(resource));
        return ok();
    }

    std::vector<PlannedResource> resources{};
};

Result<void> check_link(const std::string& link, const std::string& field) {
    if (!is_plain_name(link)) {
        return refuse_file(
            "its name in the containers must be of letters, digits and ._-+=@~ only, and not begin "
            "with '-': give it an alias, as in \"…#alias\"",
            field);
    }
    if (is_taken_name(link)) {
        return refuse_file("\"" + link +
                               "\" has a meaning of its own in the containers: give it an "
                               "alias, as in \"…#alias\"",
                           field);
    }
    return ok();
}

Result<void> add_listed(const ListedFile& file, const Origin& origin, bool archive,
                        Folder& folder) {
    if (auto checked = check_link(origin.link, file.field); !checked) {
        return checked;
    }
    if (archive && !is_archive_name(origin.source)) {
        return refuse_file(
            "must end in .zip, .jar, .tar, .tar.gz or .tgz: YARN unpacks nothing else", file.field);
    }
    PlannedResource resource;
    resource.link = origin.link;
    resource.source = origin.source;
    resource.copied = origin.copied;
    resource.archive = archive;
    resource.for_executors = true;
    return folder.add(std::move(resource), file.field);
}

Result<void> add_jar(const YarnBackendOptions& options, const ListedFile& file, AmFiles& files,
                     Folder& folder) {
    auto origin = origin_of(options, file.uri, file.field);
    if (!origin) {
        return origin.error();
    }
    std::string entry = origin->local ? "local:" + origin->source : origin->link;
    if (origin->source.find(',') != std::string::npos && origin->local) {
        return refuse_file("must not contain a comma: Spark would take it for two", file.field);
    }
    if (!origin->local) {
        if (auto added = add_listed(file, *origin, false, folder); !added) {
            return added;
        }
    }
    if (std::find(files.jars.begin(), files.jars.end(), entry) == files.jars.end()) {
        files.jars.push_back(std::move(entry));
    }
    return ok();
}

Result<void> add_file(const YarnBackendOptions& options, const ListedFile& file, bool archive,
                      Folder& folder) {
    auto origin = origin_of(options, file.uri, file.field);
    if (!origin) {
        return origin.error();
    }
    // it is there already, under a path that the application knows
    return origin->local ? ok() : add_listed(file, *origin, archive, folder);
}

/// .py files lie in a folder of their own, which is on the path; others are on it themselves.
Result<void> add_python_file(const YarnBackendOptions& options, const ListedFile& file,
                             AmFiles& files, Folder& folder) {
    auto origin = origin_of(options, file.uri, file.field);
    if (!origin) {
        return origin.error();
    }
    const bool is_module = origin->source.ends_with(".py");
    std::string entry = is_module ? std::string(python_folder) : origin->link;
    if (origin->local) {
        if (is_module) {
            return refuse_file(
                "a .py file that is on every node cannot be imported: give its folder in "
                "spark.executorEnv.PYTHONPATH and spark.yarn.appMasterEnv.PYTHONPATH",
                file.field);
        }
        entry = origin->source;
    } else {
        if (auto checked = check_link(origin->link, file.field); !checked) {
            return checked;
        }
        if (is_module) {
            origin->link = std::string(python_folder) + "/" + origin->link;
        }
        PlannedResource resource{origin->link, origin->source, origin->copied, false, true};
        if (auto added = folder.add(std::move(resource), file.field); !added) {
            return added;
        }
    }
    auto& path = files.python_path;
    if (std::find(path.begin(), path.end(), entry) == path.end()) {
        path.push_back(std::move(entry));
    }
    return ok();
}

Result<void> add_lists(const YarnBackendOptions& options, const BatchSpec& spec, AmFiles& files,
                       Folder& folder) {
    using Add = std::function<Result<void>(const ListedFile&)>;
    struct List {
        std::vector<ListedFile> files;
        Add add;
    };
    const Add jar = [&](const auto& each) { return add_jar(options, each, files, folder); };
    const Add file = [&](const auto& each) { return add_file(options, each, false, folder); };
    const Add archive = [&](const auto& each) { return add_file(options, each, true, folder); };
    const Add module = [&](const auto& each) {
        return add_python_file(options, each, files, folder);
    };
    const auto list = [&](const char* key, const std::vector<std::string>& own, const char* field) {
        return listed(options, spec, key, own, field);
    };
    const List lists[] = {{list("spark.yarn.dist.jars", {}, ""), jar},
                          {list("spark.jars", spec.jars, "jars"), jar},
                          {list("spark.yarn.dist.files", {}, ""), file},
                          {list("spark.files", spec.files, "files"), file},
                          {list("spark.yarn.dist.archives", {}, ""), archive},
                          {list("spark.archives", spec.archives, "archives"), archive},
                          {list("spark.yarn.dist.pyFiles", {}, ""), module},
                          {list("spark.submit.pyFiles", spec.py_files, "py_files"), module}};
    for (const auto& each : lists) {
        for (const auto& one : each.files) {
            if (auto added = each.add(one); !added) {
                return added;
            }
        }
    }
    return ok();
}

/// The application's own file.
Result<void> add_main(const YarnBackendOptions& options, const AmInput& input, AmFiles& files,
                      Folder& folder) {
    const std::string& file = input.spec.file;
    const bool is_jar = kind_of(file) == AppKind::jar;
    if (std::string word = is_jar ? "" : granted_word(input.files, file); !word.empty()) {
        files.main = std::move(word);
        return ok();
    }
    if (file.find('#') != std::string::npos) {
        return refuse_file("must not have an alias", "file");
    }
    auto origin = origin_of(options, file, "file");
    if (!origin) {
        return origin.error();
    }
    if (origin->local) {
        files.main = origin->source;
        files.local_jar = is_jar ? "local:" + origin->source : "";
        return ok();
    }
    if (is_jar) {
        origin->link = app_jar_name;
    } else if (auto checked = check_link(origin->link, "file"); !checked) {
        return refuse_file(
            "its name must be of letters, digits and ._-+=@~ only, not begin with '-' or \"__\", "
            "and be none of YARN's",
            "file");
    }
    files.main = origin->link;
    return folder.add({origin->link, origin->source, origin->copied, false, is_jar}, "file");
}

Result<void> add_spark(const YarnBackendOptions& options, bool python, AmFiles& files,
                       Folder& folder) {
    if (options.spark_archive.empty()) {
        return ok();
    }
    PlannedResource libraries;
    libraries.link = spark_archive_link;
    libraries.source = options.spark_archive;
    libraries.archive = true;
    libraries.for_executors = true;
    if (auto added = folder.add(std::move(libraries), "file"); !added) {
        return added;
    }
    if (!python) {
        return ok();
    }
    if (options.pyspark_archives.empty()) {
        return refuse_file(
            "Python is not set up on this server: its option pyspark_archives is empty", "file");
    }
    for (const auto& uri : options.pyspark_archives) {
        PlannedResource library{name_of(uri), uri, false, false, true};
        files.python_path.push_back(library.link);
        if (auto added = folder.add(std::move(library), "file"); !added) {
            return added;
        }
    }
    return ok();
}

}  // namespace

bool is_archive_name(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const char* end : {".zip", ".jar", ".tar", ".tar.gz", ".tgz"}) {
        if (lower.ends_with(end)) {
            return true;
        }
    }
    return false;
}

AppKind kind_of(std::string_view file) {
    if (file.ends_with(".py")) {
        return AppKind::python;
    }
    return file.ends_with(".R") || file.ends_with(".r") ? AppKind::r : AppKind::jar;
}

std::string granted_word(const std::vector<DriverFile>& files, const std::string& path) {
    for (const auto& each : files) {
        if (each.path == path || each.path == local_path(path)) {
            return std::string(granted_folder) + name_of(each.path);
        }
    }
    return {};
}

Result<AmFiles> plan_files(const YarnBackendOptions& options, const AmInput& input) {
    AmFiles files;
    Folder folder;
    const bool python = kind_of(input.spec.file) == AppKind::python;
    if (auto added = add_spark(options, python, files, folder); !added) {
        return added.error();
    }
    if (auto added = add_main(options, input, files, folder); !added) {
        return added.error();
    }
    if (auto added = add_lists(options, input.spec, files, folder); !added) {
        return added.error();
    }
    files.resources = std::move(folder.resources);
    return files;
}

}  // namespace sparkhost::detail::yarn
