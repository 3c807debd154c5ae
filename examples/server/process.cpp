// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace server {

void make_data_dir(const std::string& dir) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(dir).parent_path(), failure);
    if (::mkdir(dir.c_str(), 0700) == 0) {
        return;
    }
    const std::error_code problem(errno, std::generic_category());
    if (!std::filesystem::is_directory(dir, failure)) {
        throw std::runtime_error(
            "cannot make the data folder " + dir + ": " +
            (problem == std::errc::file_exists ? "it is not a folder" : problem.message()));
    }
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace server
