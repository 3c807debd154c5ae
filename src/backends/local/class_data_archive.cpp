// SPDX-License-Identifier: Apache-2.0
#include "backends/local/class_data_archive.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/local/launch_recipe.hpp"
#include "backends/local/process_start.hpp"

#include "hop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>

namespace sparkhost::detail::local {

namespace {

constexpr std::chrono::minutes training_limit{10};
constexpr int training_niceness = 19;

/// Uses what most applications use: session, SQL, a shuffle, a result; and Scala's interpreter, as
/// sessions do (sparkhost_scala.py).
constexpr std::string_view training_program =
    "from pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "spark.range(100).selectExpr('id % 7 AS k').groupBy('k').count().collect()\n"
    "spark.sql('SELECT 1 AS one').collect()\n"
    "try:\n"
    "    jvm = spark._jvm\n"
    "    nsc = jvm.scala.tools.nsc\n"
    "    settings = nsc.Settings()\n"
    "    settings.usejavacp().tryToSetFromPropertyValue('true')\n"
    "    writer = jvm.java.io.PrintWriter(jvm.java.io.StringWriter())\n"
    "    if jvm.scala.util.Properties.versionNumberString().startswith('2.12'):\n"
    "        main = nsc.interpreter.IMain(settings, writer)\n"
    "        main.initializeSynchronous()\n"
    "    else:\n"
    "        reporter = nsc.interpreter.shell.ReplReporterImpl(settings, writer)\n"
    "        main = nsc.interpreter.IMain(settings, reporter)\n"
    "        main.initializeCompiler()\n"
    "    main.interpret('import org.apache.spark.sql.functions._\\nval x = Seq(1).map(_ + 1)')\n"
    "    main.interpret('abc')\n"
    "except Exception as error:\n"
    "    print('without the interpreter of Scala:', error)\n"
    "spark.stop()\n";

/// Name, size and time of each jar: what Java checks too before it trusts an archive.
std::string jar_listing(const std::string& jars) {
    std::set<std::string> lines;
    std::error_code error;
    std::filesystem::directory_iterator entry(jars, error);
    for (std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        auto size = entry->file_size(ignored);
        auto time = entry->last_write_time(ignored).time_since_epoch().count();
        lines.insert(entry->path().filename().string() + " " + std::to_string(size) + " " +
                     std::to_string(time) + "\n");
    }
    std::string listing;
    for (const auto& line : lines) {
        listing += line;
    }
    return listing;
}

/// What must be true of a whole archive. Java itself trusts what it finds behind a header of the
/// right kind: a truncated archive ends it with a signal, whatever -Xshare says.
Result<std::string> archive_seal(const std::string& file) {
    auto fd = open_file(file, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    struct stat status {};
    char header[4096];
    const ssize_t got = ::pread(fd->get(), header, sizeof header, 0);
    if (::fstat(fd->get(), &status) != 0 || got < 0) {
        return errno_error("read", file, errno);
    }
    return std::to_string(status.st_size) + " " +
           fingerprint(std::string_view(header, static_cast<std::size_t>(got))) + "\n";
}

bool is_whole_archive(const std::string& file) {
    auto written = read_whole_file(file + ".seal", 4096);
    auto now = written ? archive_seal(file) : Result<std::string>(Errc::not_found);
    return now && *now == *written;
}

/// Puts the archive in its place, durably and the seal first: one without the other is no archive.
Result<void> keep_archive(const std::string& made, const std::string& file) {
    auto fd = open_file(made, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    if (::fsync(fd->get()) != 0) {
        return errno_error("sync", made, errno);
    }
    auto seal = archive_seal(made);
    if (!seal) {
        return seal.error();
    }
    if (auto sealed = write_file_durably(file + ".seal", *seal); !sealed) {
        return sealed;
    }
    if (::rename(made.c_str(), file.c_str()) != 0) {
        return errno_error("rename", made, errno);
    }
    return ok();
}

}  // namespace

std::string fingerprint(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ull;
    for (char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
    constexpr char digits[] = "0123456789abcdef";
    std::string name;
    for (int shift = 60; shift >= 0; shift -= 4) {
        name += digits[(hash >> shift) & 0xF];
    }
    return name;
}

ArchivePlan plan_archive(const SparkInstallation& spark, const std::string& archive_dir) {
    ArchivePlan plan;
    plan.folder = archive_dir;
    plan.data.spark_home = spark.spark_home;
    plan.data.spark_version = spark.version.text;
    plan.data.logging_jars = spark.logging_jars;
    plan.data.java = spark.java;
    plan.data.conf_folder = spark.conf_folder;
    plan.data.conf_options = spark.conf_options;
    plan.environment = spark.environment;
    plan.trainable = !spark.python.empty();
    auto request = java_command_request(plan.data, spark.environment);
    plan.class_path = java_class_path(request);
    auto release = read_whole_file(spark.java_home + "/release");
    const std::string inputs = spark.version.text + "\n" + spark.java + "\n" + spark.java_version +
                               "\n" + (release ? *release : std::string()) + "\n" +
                               plan.class_path + "\n" + jar_listing(spark.spark_home + "/jars") +
                               std::string(training_program);
    if (spark.conf_folder_is_ours) {
        plan.file =
            archive_dir + "/spark-" + spark.version.text + "-" + fingerprint(inputs) + ".jsa";
    }
    return plan;
}

std::string usable_archive(const ArchivePlan& plan, const TicketData& data,
                           const Environment& environment) {
    if (plan.file.empty() || data.java != plan.data.java || !is_whole_archive(plan.file)) {
        return {};
    }
    auto request = java_command_request(data, environment);
    return java_class_path(request) == plan.class_path ? plan.file : std::string();
}

namespace {

/// A training run that has been started. Moved between the strand and the pool, never shared.
struct Training {
    UniqueFd lock{};  ///< of all hosts on this folder, one trains
    std::string folder{};
    StartedProcess process{};
};

Result<ProcessStart> training_command(const ArchivePlan& plan, const std::string& folder) {
    TicketData data = plan.data;
    data.properties = {{"spark.master", "local[1]"},
                       {"spark.driver.memory", "512m"},
                       {"spark.ui.port", "0"},
                       {"spark.ui.showConsoleProgress", "false"}};
    auto options = java_options(java_command_request(data, plan.environment));
    if (!options) {
        return options.error();
    }
    const std::string properties = folder + "/spark.properties";
    const std::string program = folder + "/train.py";
    if (auto written = write_file_durably(properties, write_properties(data.properties));
        !written) {
        return written.error();
    }
    if (auto written = write_file_durably(program, training_program); !written) {
        return written.error();
    }
    SubmitArguments arguments;
    arguments.properties_file = properties;
    arguments.file = program;
    auto submit = submit_arguments(arguments);
    ProcessStart start;
    start.program = options->front();
    start.arguments.assign(options->begin() + 1, options->end());
    start.arguments.insert(start.arguments.begin(),
                           "-XX:ArchiveClassesAtExit=" + folder + "/made.jsa");
    start.arguments.insert(start.arguments.end(), submit.begin(), submit.end());
    start.environment = plan.environment;
    start.environment["SPARK_LOCAL_DIRS"] = folder;
    start.directory = folder;
    start.niceness = training_niceness;
    start.ends_with_host = true;
    start.own_group = true;
    return start;
}

/// Nothing where there is no need, or another host is at it.
Result<std::shared_ptr<Training>> begin_training(const ArchivePlan& plan) {
    auto lock = open_file(plan.folder + "/training.lock", O_RDWR | O_CREAT, 0600);
    if (!lock) {
        return lock.error();
    }
    if (is_whole_archive(plan.file) || ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
        return std::shared_ptr<Training>();
    }
    auto training = std::make_shared<Training>();
    training->lock = std::move(*lock);
    training->folder = plan.folder + "/training";
    if (auto removed = remove_tree(training->folder); !removed) {
        return removed.error();
    }
    if (auto made = make_folder(training->folder); !made) {
        return made.error();
    }
    auto command = training_command(plan, training->folder);
    if (!command) {
        return command.error();
    }
    auto process = start_process(*command);
    if (!process) {
        return process.error();
    }
    training->process = std::move(*process);
    return training;
}

/// True when there is an archive now.
Result<bool> finish_training(const ArchivePlan& plan, const Training& training, bool succeeded) {
    const std::string made = training.folder + "/made.jsa";
    bool kept = succeeded && file_exists(made);
    if (kept) {
        if (auto put = keep_archive(made, plan.file); !put) {
            return put.error();
        }
    }
    if (auto removed = remove_tree(training.folder); !removed) {
        return removed.error();
    }
    return kept;
}

}  // namespace

struct ArchiveTrainer::Run {
    Run() = default;
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() { kill(); }

    /// Also what the virtual machine has started itself.
    void kill() const {
        if (training && training->process.handle && reap_process(training->process) < 0) {
            ::kill(-training->process.pid, SIGKILL);
        }
    }
    void say(LogLevel level, const std::string& text) const {
        if (log) {
            log(LogEvent{level, "local", text});
        }
    }

    ArchivePlan plan{};
    asio::any_io_executor pool{};
    LogSink log{};
    std::shared_ptr<Training> training{};  ///< while its process exists
    bool stopped{false};
};

void ArchiveTrainer::start(const ArchivePlan& plan, asio::any_io_executor strand,
                           asio::any_io_executor pool, LogSink log) {
    if (tried_ || plan.file.empty() || !plan.trainable) {
        return;
    }
    tried_ = true;
    auto run = std::make_shared<Run>();
    run->plan = plan;
    run->pool = std::move(pool);
    run->log = std::move(log);
    run_ = run;
    asio::co_spawn(strand, train(std::move(run)), asio::detached);
}

void ArchiveTrainer::stop() {
    if (auto run = run_.lock()) {
        run->stopped = true;
        run->kill();
    }
    tried_ = false;
}

asio::awaitable<void> ArchiveTrainer::train(std::shared_ptr<Run> run) {
    auto begin = [plan = run->plan] { return begin_training(plan); };
    Result<std::shared_ptr<Training>> begun = co_await run_blocking(run->pool, std::move(begin));
    if (!begun) {
        run->say(LogLevel::warning, "no class-data archive: " + begun.error().text());
        co_return;
    }
    std::shared_ptr<Training> training = *begun;
    int handle = training ? ::fcntl(training->process.handle.get(), F_DUPFD_CLOEXEC, 3) : -1;
    if (handle < 0) {
        co_return;
    }
    run->training = training;
    if (run->stopped) {
        run->kill();
    }
    auto strand = co_await asio::this_coro::executor;
    asio::posix::stream_descriptor ended(strand, handle);
    asio::steady_timer limit(strand, training_limit);
    limit.async_wait([weak = std::weak_ptr<Run>(run)](boost::system::error_code stopped) {
        if (auto late = weak.lock(); late && !stopped) {
            late->kill();
        }
    });
    boost::system::error_code ignored;
    co_await ended.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::redirect_error(asio::use_awaitable, ignored));
    // -1: the host application has reaped it; the archive itself then says whether it went well
    const bool succeeded = reap_process(training->process) <= 0 && !run->stopped;
    run->training.reset();
    if (run->stopped) {
        auto removed = remove_tree(training->folder);  // a few files; the pool may be gone
        static_cast<void>(removed);                    // the next run tries again
        co_return;
    }
    auto finish = [plan = run->plan, training, succeeded] {
        return finish_training(plan, *training, succeeded);
    };
    Result<bool> kept = co_await run_blocking(run->pool, std::move(finish));
    if (kept && *kept) {
        run->say(LogLevel::info, "class-data archive made: " + run->plan.file);
    } else {
        run->say(LogLevel::warning, "no class-data archive: the training run has failed");
    }
}

}  // namespace sparkhost::detail::local
