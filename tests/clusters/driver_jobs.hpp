// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CLUSTERS_DRIVER_JOBS_HPP
#define SPARKHOST_TESTS_CLUSTERS_DRIVER_JOBS_HPP

#include <sparkhost/testing/backend_conformance.hpp>

#include "support/temp_dir.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace sparkhost::test {

/// What tools/clusters has put in the environment.
inline std::string told_by_cluster(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) {
        throw std::runtime_error(name + " is not set; tools/clusters run sets it");
    }
    return value;
}

/// The kit's programs as drivers of jobs/Driver.java (tests/clusters/with_driver).
class DriverJobs {
public:
    using Program = testing::BackendFixture::Program;
    enum class Context { none, made };

    DriverJobs() {
        if (::mkfifo(never().c_str(), 0600) != 0) {
            throw std::system_error(errno, std::generic_category(), "mkfifo " + never().string());
        }
    }

    BatchSpec spec(Program program, const std::string& mark, Context context) const {
        BatchSpec spec;
        spec.file = told_by_cluster("SPARKHOST_TEST_DRIVER_JAR");
        spec.class_name = "Driver";
        spec.args = {"mark", marks(mark).string()};
        if (context == Context::made) {
            append(spec.args, {"context", mark});
        }
        append(spec.args, words(program));
        spec.conf = {{"spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"},
                     {"spark.ui.enabled", "false"}};
        return spec;
    }
    std::size_t starts(const std::string& mark) const {
        const std::string lines = read_text(marks(mark));
        return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    }
    std::filesystem::path marks(const std::string& mark) const { return dir_ / ("mark-" + mark); }
    const TempDir& dir() const { return dir_; }

private:
    using Words = std::vector<std::string>;

    static void append(Words& words, const Words& more) {
        words.insert(words.end(), more.begin(), more.end());
    }
    Words words(Program program) const {
        switch (program) {
            case Program::succeeds:
                return {"print", "one", "print", "two", "print", "three"};
            case Program::fails:
                return {"exit", "3"};
            case Program::endless:
                break;
        }
        return {"wait", never().string()};
    }
    /// A FIFO that nobody writes to.
    std::filesystem::path never() const { return dir_ / "never"; }

    TempDir dir_{};
};

}  // namespace sparkhost::test

#endif
