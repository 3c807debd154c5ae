// SPDX-License-Identifier: Apache-2.0
#include "hop.hpp"
#include "runtimes/spark/agent_source.hpp"
#include "runtimes/spark/conversation.hpp"

#include <sparkhost/runtimes/spark.hpp>

#include <boost/algorithm/string/join.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::detail::spark {

namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& path, std::string_view content) {
    std::ifstream file(path, std::ios::binary);
    const std::string there{std::istreambuf_iterator<char>(file), {}};
    return file.good() && there == content;
}

/// Writes a file for its owner alone, whole or not at all, and durably: a submit that is repeated
/// after a crash hands it over again.
void write_private_file(const fs::path& path, std::string_view content) {
    if (holds(path, content)) {
        return;
    }
    const fs::path made = path.string() + ".new" + std::to_string(::getpid());
    std::ofstream file(made, std::ios::binary | std::ios::trunc);
    fs::permissions(made, fs::perms::owner_read | fs::perms::owner_write);
    file << content;
    file.close();
    const int written = file ? ::open(made.c_str(), O_RDONLY | O_CLOEXEC) : -1;
    const bool durable = written >= 0 && ::fsync(written) == 0;
    if (written >= 0) {
        ::close(written);
    }
    if (!durable) {
        std::error_code ignored;
        fs::remove(made, ignored);
        throw std::runtime_error("cannot write " + path.string());
    }
    fs::rename(made, path);
}

void check(const SparkRuntimeOptions& options) {
    const auto require = [](bool holds, const char* rule) {
        if (!holds) {
            throw std::invalid_argument(std::string("SparkRuntimeOptions::") + rule);
        }
    };
    require(!options.work_dir.empty(), "work_dir: must not be empty");
    require(options.cache_dir.empty() || options.cache_dir.front() == '/',
            "cache_dir: must be an absolute path");
    require(options.max_output >= 1024, "max_output: must be at least 1 KiB");
    require(options.max_result >= 1024 && options.max_result <= 1u << 20,
            "max_result: must be between 1 KiB and 1 MiB");
    require(options.max_rows >= 1, "max_rows: must be at least 1");
    require(std::ranges::all_of(options.job_jars,
                                [](const std::string& jar) {
                                    return jar.starts_with('/') &&
                                           jar.find(':') == std::string::npos;
                                }),
            "job_jars: must be absolute paths without a colon");
    require(options.host_vanished_after >= std::chrono::seconds(1),
            "host_vanished_after: must be at least 1 s");
}

const std::string& cache_folder(const SparkRuntimeOptions& options) {
    return options.cache_dir.empty() ? options.work_dir : options.cache_dir;
}

/// Where the driver has copies of the host's files, they lie beside the settings, and its disk has
/// nothing that an earlier session has left.
std::string settings_of(const SparkRuntimeOptions& options,
                        const SessionRuntime::SessionRequest& request) {
    const auto secret_file = request.shares_files
                                 ? request.claim_file
                                 : fs::path(request.claim_file).filename().string();
    const auto cache = request.shares_files ? cache_folder(options) : std::string();
    boost::json::object settings{{"endpoint", request.agent_endpoint},
                                 {"ticket", request.ticket},
                                 {"secret_file", secret_file},
                                 {"kind", request.session.kind},
                                 {"cache_folder", cache},
                                 {"job_jars", boost::algorithm::join(options.job_jars, ":")},
                                 {"max_line", max_line},
                                 {"max_output", options.max_output},
                                 {"max_result", options.max_result},
                                 {"max_rows", options.max_rows},
                                 {"host_vanished_after", options.host_vanished_after.count()}};
    return boost::json::serialize(settings) + "\n";
}

fs::path settings_file(const SparkRuntimeOptions& options, const std::string& ticket) {
    return fs::path(options.work_dir) / (ticket + ".json");
}

std::vector<DriverFile> driver_files(const fs::path& folder, const fs::path& settings,
                                     const std::string& claim_file) {
    std::vector<DriverFile> files;
    for (const auto& file : agent_files) {
        files.push_back({fs::absolute(folder / file.name).string(), false});
    }
    files.push_back({fs::absolute(settings).string(), false});
    files.push_back({claim_file, true});
    return files;
}

/// What launches the agent. Blocking.
Result<SubmitRequest> prepare_files(const SparkRuntimeOptions& options,
                                    SessionRuntime::SessionRequest request) {
    for (const auto& needed : {options.work_dir, cache_folder(options)}) {
        if (fs::create_directories(needed)) {
            fs::permissions(needed, fs::perms::owner_all);
        }
    }
    const fs::path folder(options.work_dir);
    const auto settings = settings_file(options, request.ticket);
    for (const auto& file : agent_files) {
        write_private_file(folder / file.name, file.content());
    }
    write_private_file(settings, settings_of(options, request));
    SubmitRequest launch;
    launch.store_uuid = std::move(request.store_uuid);
    launch.subject = "session-" + std::to_string(request.id.value);
    launch.attempt = request.attempt;
    launch.spec = std::move(request.session.spec);
    launch.spec.file = fs::absolute(folder / agent_program).string();
    launch.spec.args = {fs::absolute(settings).string()};
    if (launch.spec.name.empty()) {
        launch.spec.name = launch.subject;  // what Spark shows
    }
    if (!request.shares_files) {
        launch.driver_files = driver_files(folder, settings, request.claim_file);
    }
    return launch;
}

/// Keeps what a conversation is about alive while one of its member coroutines runs.
template <class T>
Awaitable<T> keep(std::shared_ptr<Talk> talk, Awaitable<T> op) {
    auto result = co_await std::move(op);
    (void)talk;
    co_return result;
}

class AgentConversation final : public Conversation {
public:
    explicit AgentConversation(SessionRuntime::AttachRequest request)
        : talk_(std::make_shared<Talk>(std::move(request))) {}
    ~AgentConversation() override { talk_->abandon(); }

    Awaitable<void> run() override { return keep(talk_, talk_->run()); }
    Awaitable<StatementResult> execute(StatementSpec statement,
                                       std::shared_ptr<OutputSink> sink) override {
        return keep(talk_, talk_->execute(std::move(statement), std::move(sink)));
    }
    void interrupt(InterruptRequest request) override { talk_->interrupt(request); }
    void settle(StatementId statement) override { talk_->settle(statement); }
    void settle_session() override { talk_->settle_session(); }
    Awaitable<Completion> complete(CompletionRequest request) override {
        return keep(talk_, talk_->complete(std::move(request)));
    }
    Awaitable<void> add(SessionFile file) override {
        return keep(talk_, talk_->add(std::move(file)));
    }
    void close() override { talk_->close(); }

private:
    std::shared_ptr<Talk> talk_;
};

class SparkRuntime final : public SessionRuntime {
public:
    explicit SparkRuntime(SparkRuntimeOptions options) : options_(std::move(options)) {
        check(options_);
    }

    Traits traits() const override { return {"spark", {"pyspark", "spark", "sparkr", "sql"}}; }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        return prepare_request(options_, traits().kinds, std::move(request));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return remove_settings(options_, std::move(request));
    }
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        return std::make_unique<AgentConversation>(std::move(request));
    }

private:
    static Awaitable<SubmitRequest> prepare_request(SparkRuntimeOptions options,
                                                    std::vector<std::string> kinds,
                                                    SessionRequest request) {
        const auto& kind = request.session.kind;
        if (!kind.empty() && std::ranges::find(kinds, kind) == kinds.end()) {
            co_return Error(
                Errc::invalid_argument,
                "must be \"pyspark\", \"spark\", \"sparkr\" or \"sql\", not \"" + kind + "\"",
                "kind");
        }
        auto pool = options.blocking_executor;
        auto work = [options = std::move(options), request = std::move(request)] {
            return prepare_files(options, request);
        };
        if (!pool) {
            pool = co_await asio::this_coro::executor;
        }
        co_return co_await run_blocking(pool, std::move(work));
    }

    static Awaitable<void> remove_settings(SparkRuntimeOptions options, ReleaseRequest request) {
        auto pool = options.blocking_executor;
        auto work = [file = settings_file(options, request.ticket)]() -> Result<void> {
            fs::remove(file);
            return ok();
        };
        if (!pool) {
            pool = co_await asio::this_coro::executor;
        }
        co_return co_await run_blocking(pool, std::move(work));
    }

    SparkRuntimeOptions options_;
};

}  // namespace

}  // namespace sparkhost::detail::spark

namespace sparkhost {

std::unique_ptr<SessionRuntime> make_spark_runtime(SparkRuntimeOptions options) {
    return std::make_unique<detail::spark::SparkRuntime>(std::move(options));
}

}  // namespace sparkhost
