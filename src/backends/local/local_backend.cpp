// SPDX-License-Identifier: Apache-2.0
#include "backends/local/local_state.hpp"

#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace sparkhost {

namespace detail::local {

namespace {

class LocalBackend final : public Backend {
public:
    explicit LocalBackend(LocalBackendOptions options)
        : state_(std::make_shared<LocalState>(std::move(options))) {}

    Traits traits() const override {
        Traits traits;
        traits.name = state_->options.name;
        traits.serves_logs = true;
        return traits;
    }
    Awaitable<void> open(BackendContext context) override {
        return open_backend(state_, std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return reserve_ticket(state_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_application(state_, std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return watch_applications(state_, std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override {
        return kill_application(state_, std::move(ticket));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return release_application(state_, std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return read_application_log(state_, std::move(request));
    }

private:
    std::shared_ptr<LocalState> state_;
};

void check_local_options(const LocalBackendOptions& options) {
    auto require = [](bool holds, const char* rule) {
        if (!holds) {
            throw std::invalid_argument(std::string("LocalBackendOptions::") + rule);
        }
    };
    require(!options.name.empty(), "name: must not be empty");
    require(options.work_dir.starts_with('/'), "work_dir: must be an absolute path");
    for (const auto& [path, rule] :
         {std::pair{&options.spark_home, "spark_home: must be an absolute path"},
          {&options.java_home, "java_home: must be an absolute path"},
          {&options.supervisor, "supervisor: must be an absolute path"},
          {&options.archive_dir, "archive_dir: must be an absolute path"}}) {
        require(path->empty() || path->starts_with('/'), rule);
    }
    require(options.kill_grace >= std::chrono::milliseconds::zero() &&
                options.kill_grace <= std::chrono::hours{24},
            "kill_grace: must be between 0 and 24 hours");
    check_operator_settings(options.conf, options.master);
    for (const auto& [name, value] : options.environment) {
        require(!name.empty() && name.find_first_of(std::string("=\0", 2)) == std::string::npos &&
                    value.find('\0') == std::string::npos,
                "environment: a name must not be empty or contain '=' or NUL");
    }
}

/// Claims are taken by link(2), which some file systems do not have.
Result<void> check_links(const std::string& work_dir) {
    const std::string path = work_dir + "/.link-test." + std::to_string(::getpid());
    const std::string other = path + ".other";
    ::unlink(other.c_str());
    {
        auto fd = open_file(path, O_WRONLY | O_CREAT, 0600);
        if (!fd) {
            return fd.error();
        }
    }
    const bool linked = ::link(path.c_str(), other.c_str()) == 0;
    const int failure = errno;
    ::unlink(other.c_str());
    ::unlink(path.c_str());
    if (!linked) {
        Error error = errno_error("make hard links in", work_dir, failure);
        error.detail += "; LocalBackendOptions::work_dir must be on a local file system";
        return error;
    }
    return ok();
}

struct Opened {
    SparkInstallation spark{};
    std::shared_ptr<const SupervisorProgram> supervisor{};
    ArchivePlan archive{};
};

Result<std::shared_ptr<Opened>> prepare_to_run(const LocalBackendOptions& options,
                                               const Environment& environment,
                                               const WorkPaths& paths,
                                               const std::string& archive_dir) {
    const std::string empty_conf = archive_dir + "/empty-conf";
    for (const std::string& folder :
         {paths.tickets(), paths.root + "/logs", archive_dir, empty_conf}) {
        if (auto made = make_folder(folder); !made) {
            return made.error();
        }
    }
    if (auto checked = check_links(paths.root); !checked) {
        return checked.error();
    }
    auto opened = std::make_shared<Opened>();
    auto supervisor = load_supervisor(options.supervisor, paths.root);
    if (!supervisor) {
        return supervisor.error();
    }
    opened->supervisor = *supervisor;
    auto spark = find_spark(options, environment, empty_conf);
    if (!spark) {
        return spark.error();
    }
    opened->spark = std::move(*spark);
    if (options.class_data_archive == ClassDataArchive::automatic) {
        opened->archive = plan_archive(opened->spark, archive_dir);
    }
    return opened;
}

}  // namespace

Awaitable<void> open_backend(std::shared_ptr<LocalState> state, BackendContext context) {
    state->context = std::move(context);
    state->paths.root = state->options.work_dir;
    while (state->paths.root.size() > 1 && state->paths.root.ends_with('/')) {
        state->paths.root.pop_back();
    }
    const std::string archives = state->options.archive_dir.empty()
                                     ? state->paths.root + "/archives"
                                     : state->options.archive_dir;
    auto prepare = [state, paths = state->paths, archives] {
        return prepare_to_run(state->options, state->environment, paths, archives);
    };
    Result<std::shared_ptr<Opened>> opened =
        co_await run_blocking(state->context.blocking_executor, std::move(prepare));
    if (!opened) {
        co_return Error(Errc::backend_failed, opened.error().text());
    }
    state->spark = (*opened)->spark;
    state->supervisor = (*opened)->supervisor;
    state->archive = (*opened)->archive;
    const bool wanted = state->options.class_data_archive == ClassDataArchive::automatic;
    if (wanted && !state->spark.conf_folder_is_ours) {
        state->log(LogLevel::info, "no class-data archive: " + state->spark.conf_folder +
                                       " has files Spark looks up on the class path, and Java "
                                       "archives no classes with a folder on it");
    }
    state->log(LogLevel::info, "Spark " + state->spark.version.text + " in " +
                                   state->spark.spark_home + ", Java " + state->spark.java_version +
                                   " in " + state->spark.java_home);
    co_return ok();
}

Awaitable<void> watch_applications(std::shared_ptr<LocalState> state,
                                   std::shared_ptr<EventSink> sink) {
    auto strand = co_await asio::this_coro::executor;
    auto watch =
        std::make_shared<ApplicationWatch>(strand, state->paths, state->context, std::move(sink));
    state->watch = watch;
    Result<void> result = co_await ApplicationWatch::run(watch);
    if (state->watch == watch) {
        state->watch.reset();
        state->trainer.stop();
    }
    co_return result;
}

Awaitable<void> release_application(std::shared_ptr<LocalState> state,
                                    Backend::ReleaseRequest request) {
    if (!is_ticket_id(request.ticket.id)) {
        co_return ok();
    }
    state->logs.forget(request.ticket.id);
    auto remove = [paths = state->paths, id = request.ticket.id, keep = request.keep_log] {
        return release_ticket(paths, id, keep);
    };
    co_return co_await run_blocking(state->context.blocking_executor, std::move(remove));
}

}  // namespace detail::local

std::unique_ptr<Backend> make_local_backend(boost::asio::any_io_executor executor,
                                            LocalBackendOptions options) {
    (void)executor;  // everything runs on the strand the host calls from
    detail::local::check_local_options(options);
    return std::make_unique<detail::local::LocalBackend>(std::move(options));
}

}  // namespace sparkhost
