// SPDX-License-Identifier: Apache-2.0
#include "backends.hpp"

#include "kubernetes_options.hpp"
#include "standalone_options.hpp"
#include "yarn_options.hpp"

#include <sparkhost/backends/local.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

namespace server {

namespace {

using BackendPtr = std::unique_ptr<sparkhost::Backend>;

BackendPtr make_local(const boost::asio::any_io_executor& executor, const Config& config) {
    sparkhost::LocalBackendOptions local{
        .work_dir = std::filesystem::path(config.data_dir) / "local",
        .spark_home = config.spark_home,
        .java_home = config.java_home,
        .python = config.python,
        .master = config.master,
        .kill_grace = config.kill_grace};
    if (!config.class_data_archive) {
        local.class_data_archive = sparkhost::ClassDataArchive::off;
    }
    if (!config.cache_dir.empty()) {
        local.archive_dir = std::filesystem::path(config.cache_dir) / "archives";
    }
    return sparkhost::make_local_backend(executor, local);
}

void add_clusters([[maybe_unused]] std::vector<BackendPtr>& backends,
                  [[maybe_unused]] const boost::asio::any_io_executor& executor,
                  [[maybe_unused]] const Config& config) {
#ifdef SPARKHOST_WITH_KUBERNETES
    for (const auto& text : config.kubernetes) {
        auto cluster = parse_kubernetes(text);
        cluster.work_dir = std::filesystem::path(config.data_dir) / "kubernetes" / cluster.name;
        backends.push_back(sparkhost::make_kubernetes_backend(executor, std::move(cluster)));
    }
#endif
#ifdef SPARKHOST_WITH_STANDALONE
    for (const auto& text : config.standalone) {
        auto cluster = parse_standalone(text);
        cluster.work_dir = std::filesystem::path(config.data_dir) / "standalone" / cluster.name;
        backends.push_back(sparkhost::make_standalone_backend(executor, std::move(cluster)));
    }
#endif
#ifdef SPARKHOST_WITH_YARN
    for (const auto& text : config.yarn) {
        auto cluster = parse_yarn(text);
        cluster.work_dir = std::filesystem::path(config.data_dir) / "yarn" / cluster.name;
        backends.push_back(sparkhost::make_yarn_backend(executor, std::move(cluster)));
    }
#endif
}

}  // namespace

std::vector<BackendPtr> make_backends(const boost::asio::any_io_executor& executor,
                                      const Config& config) {
    std::vector<BackendPtr> backends;
    if (!config.no_local_backend) {
        backends.push_back(make_local(executor, config));
    }
    add_clusters(backends, executor, config);
    const auto first = std::ranges::find_if(backends, [&](const BackendPtr& backend) {
        return backend->traits().name == config.default_backend;
    });
    if (first != backends.end()) {
        std::rotate(backends.begin(), first, first + 1);
    }
    return backends;
}

}  // namespace server
