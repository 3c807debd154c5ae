// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_CLASS_DATA_ARCHIVE_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_CLASS_DATA_ARCHIVE_HPP

// A class-data archive (JEP 350) of Spark's own classes: made once by a training run, mapped by
// every virtual machine started afterwards. It only ever saves time: with -Xshare:auto Java goes
// on without an archive it cannot use.

#include "backends/local/java_command.hpp"
#include "backends/local/spark_installation.hpp"
#include "backends/local/ticket_data.hpp"

#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace sparkhost::detail::local {

namespace asio = boost::asio;

/// The archive that fits an installation.
struct ArchivePlan {
    std::string folder{};
    std::string file{};  ///< empty: no archive is possible
    TicketData data{};   ///< of an application without properties of its own
    std::string class_path{};
    Environment environment{};
    bool trainable{false};  ///< there is a Python to run the training program
};

/// 16 hex digits of FNV-1a; other texts, other digits.
std::string fingerprint(std::string_view text);

/// Looks at Spark's jars and Java; the file's name depends on all an archive depends on. Blocking.
ArchivePlan plan_archive(const SparkInstallation& spark, const std::string& archive_dir);

/// The archive to launch this application with; empty: there is none yet, or its class path is
/// another one than the archive's.
std::string usable_archive(const ArchivePlan& plan, const TicketData& data,
                           const Environment& environment);

/// Makes the archive in the background; one training at a time over all hosts that share the
/// folder. For one strand.
class ArchiveTrainer {
public:
    ArchiveTrainer() = default;
    ArchiveTrainer(const ArchiveTrainer&) = delete;
    ArchiveTrainer& operator=(const ArchiveTrainer&) = delete;
    ~ArchiveTrainer() { stop(); }

    /// Starts a training run at low priority, unless one has been tried before or the archive is
    /// there.
    void start(const ArchivePlan& plan, asio::any_io_executor strand, asio::any_io_executor pool,
               LogSink log);

    /// Kills the training run, if one is going on.
    void stop();

private:
    struct Run;
    static asio::awaitable<void> train(std::shared_ptr<Run> run);

    std::weak_ptr<Run> run_{};
    bool tried_{false};
};

}  // namespace sparkhost::detail::local

#endif
