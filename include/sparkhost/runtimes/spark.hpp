// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_RUNTIMES_SPARK_HPP
#define SPARKHOST_RUNTIMES_SPARK_HPP

#include <sparkhost/session_runtime.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

struct SparkRuntimeOptions {
    // --- behaviour ---
    /// Folder for the agent's program and each session's settings; made if it is missing (0700).
    /// Drivers on this machine read it, others get copies. Required.
    std::string work_dir{};
    /// Folder, on the driver's machine, in which sessions of kind `spark` keep what they compile of
    /// the agent's own, so that it is compiled once; hosts may share it. Made if it is missing
    /// (0700); left unused where others than this user may write. Empty: `work_dir`. Drivers that
    /// do not share this host's files have none.
    std::string cache_dir{};

    /// Output kept of one statement, bytes; the rest is cut with a note. At least 1 KiB.
    std::size_t max_output{16u << 20};
    /// An echo or a table, bytes. 1 KiB to 1 MiB.
    std::size_t max_result{1u << 20};
    /// Rows of an sql result. At least 1.
    std::size_t max_rows{1000};

    /// Jars with Livy's classes (livy-api, livy-rsc), absolute paths on the driver's machine: jobs
    /// of Java and Scala clients need them. Empty: such jobs are refused. Default: none.
    std::vector<std::string> job_jars{};

    /// An agent ends itself when no host has been there for so long. At least 1 s. Default: 15 min.
    std::chrono::seconds host_vanished_after{900};

    // --- performance ---
    /// Where files are written. Empty: on the caller's thread; they are small.
    boost::asio::any_io_executor blocking_executor{};
};

/// Sessions of kinds `pyspark`, `spark` (Scala), `sparkr` and `sql` in one SparkContext, by an
/// agent in Python inside the driver (docs/agent_protocol.md). Needs CPython 3.8 and PySpark where
/// drivers run; `sparkr` needs R and SparkR there too, and without them each of its statements says
/// what is missing. Throws std::invalid_argument naming the option that breaks its rule.
std::unique_ptr<SessionRuntime> make_spark_runtime(SparkRuntimeOptions options);

}  // namespace sparkhost

#endif
