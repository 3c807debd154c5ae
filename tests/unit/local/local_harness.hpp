// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_LOCAL_LOCAL_HARNESS_HPP
#define SPARKHOST_TESTS_UNIT_LOCAL_LOCAL_HARNESS_HPP

// A Spark that is none: its `java` is a shell script that runs the application file with sh. So
// the backend and its supervisors work for real, and an application takes milliseconds.

#include "support/run.hpp"
#include "support/temp_dir.hpp"
#include "system_clock.hpp"

#include "backends/local/leftovers.hpp"
#include "backends/local/ticket_folder.hpp"

#include <sparkhost/backends/local.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace sparkhost::test {

namespace asio = boost::asio;

/// A Spark home and a Java home below a folder.
struct FakeSpark {
    explicit FakeSpark(const TempDir& dir, std::string_view version = "4.3.0") {
        spark_home = (dir / "spark").string();
        java_home = (dir / "java").string();
        dir.write("spark/jars/spark-core_2.13-" + std::string(version) + ".jar", "");
        dir.write("spark/jars/slf4j-api-2.0.17.jar", "");
        dir.write("java/release", "IMPLEMENTOR=\"nobody\"\nJAVA_VERSION=\"17.0.9\"\n");
        auto java = dir.write("java/bin/java", R"(#!/bin/sh
for word; do
    case "$word" in
        -XX:ArchiveClassesAtExit=*)
            echo $$ > "$DIR/training"
            [ -p "$DIR/training-gate" ] && read line < "$DIR/training-gate"
            echo archive > "${word#*=}"
            exit 0 ;;
    esac
done
while [ "$1" != org.apache.spark.deploy.SparkSubmit ]; do shift; done
shift
while :; do
    case "$1" in
        --properties-file) properties=$2; shift 2 ;;
        --class|--proxy-user) shift 2 ;;
        *) break ;;
    esac
done
export properties
file=$1
shift
exec /bin/sh "$file" "$@"
)");
        ::chmod(java.c_str(), 0700);
    }
    std::string spark_home;
    std::string java_home;
};

/// Keeps what it is told; on the strand of the test.
class RecordingSink final : public EventSink {
public:
    explicit RecordingSink(asio::any_io_executor strand)
        : changed_(strand, asio::steady_timer::time_point::max()) {}

    void status(ApplicationStatus report) override {
        reports.push_back(report);
        last[report.ticket] = std::move(report);
        changed_.cancel();
    }
    void snapshot_complete() override {
        ++snapshots;
        changed_.cancel();
    }

    /// Until `holds(*this)`.
    template <class Predicate>
    asio::awaitable<void> until(Predicate holds) {
        while (!holds()) {
            boost::system::error_code ignored;
            co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    }
    /// Until the ticket has got this far; gives the report.
    asio::awaitable<ApplicationStatus> state(std::string ticket, ApplicationState wanted) {
        auto holds = [this, &ticket, wanted] {
            return last.contains(ticket) && last[ticket].state >= wanted;
        };
        co_await until(holds);
        co_return last[ticket];
    }
    asio::awaitable<ApplicationStatus> end(std::string ticket) {
        co_return co_await state(std::move(ticket), ApplicationState::ended);
    }

    std::vector<ApplicationStatus> reports{};
    std::map<std::string, ApplicationStatus> last{};
    int snapshots{0};

private:
    asio::steady_timer changed_;
};

/// A running Backend::watch.
class RunningWatch {
public:
    RunningWatch(Backend& backend, asio::any_io_executor strand)
        : sink(std::make_shared<RecordingSink>(strand)),
          over_(
              std::make_shared<asio::steady_timer>(strand, asio::steady_timer::time_point::max())) {
        auto ended = [this, over = over_](std::exception_ptr, Result<void> outcome) {
            result = std::move(outcome);
            over->cancel();
        };
        asio::co_spawn(strand, backend.watch(sink),
                       asio::bind_cancellation_slot(cancel_.slot(), std::move(ended)));
    }
    /// Cancels it and waits until it has completed.
    asio::awaitable<void> stop() {
        cancel_.emit(asio::cancellation_type::terminal);
        while (!result) {
            boost::system::error_code ignored;
            co_await over_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    }
    asio::awaitable<void> ready() {
        auto complete = [this] { return sink->snapshots > 0; };
        co_await sink->until(complete);
    }

    std::shared_ptr<RecordingSink> sink;
    std::optional<Result<void>> result{};

private:
    std::shared_ptr<asio::steady_timer> over_;
    asio::cancellation_signal cancel_{};
};

template <class T>
void require_ok(const Result<T>& result) {
    const std::string failure = result.has_error() ? result.error().text() : "";
    BOOST_TEST_REQUIRE(result.has_value(), failure);
}

/// A backend over a fake Spark, and requests for it.
class LocalHarness {
public:
    LocalHarness() : spark(dir) {
        options.work_dir = (dir / "work").string();
        options.spark_home = spark.spark_home;
        options.java_home = spark.java_home;
        options.class_data_archive = ClassDataArchive::off;
        options.environment = {{"PATH", "/usr/bin:/bin"}, {"DIR", dir.path().string()}};
        options.kill_grace = std::chrono::milliseconds(200);
    }
    ~LocalHarness() {
        pool.join();
        end_applications();
    }

    BackendContext context() {
        BackendContext context;
        context.store_uuid = "0123ABCD-0000-0000-0000-000000000000";
        context.backend_name = options.name;
        context.blocking_executor = pool.get_executor();
        context.clock = std::make_shared<detail::SystemClock>();
        context.log = [this](const LogEvent& event) { logged.push_back(event.message); };
        return context;
    }

    /// A new backend on the same folders, as after a restart of the host.
    asio::awaitable<std::unique_ptr<Backend>> open() {
        auto backend = make_local_backend(co_await asio::this_coro::executor, options);
        auto opened = co_await backend->open(context());
        require_ok(opened);
        co_return backend;
    }

    /// A request for an application whose main program is this shell script.
    SubmitRequest request(std::string_view script, std::vector<std::string> args = {}) {
        SubmitRequest request;
        request.store_uuid = "0123ABCD-0000-0000-0000-000000000000";
        request.subject = "batch-" + std::to_string(next_++);
        request.spec.file = dir.write("apps/" + request.subject + ".sh", script).string();
        request.spec.args = std::move(args);
        return request;
    }

    std::filesystem::path ticket_folder(const Ticket& ticket) const {
        return dir / ("work/tickets/" + ticket.id);
    }

    TempDir dir{};
    FakeSpark spark;
    LocalBackendOptions options{};
    asio::thread_pool pool{2};
    std::vector<std::string> logged{};

private:
    /// Supervisors outlive their host; those of a test that has failed must not outlive the test.
    void end_applications() const {
        const detail::local::WorkPaths paths{options.work_dir};
        auto tickets = detail::local::list_tickets(paths);
        for (const auto& ticket : tickets ? *tickets : std::vector<std::string>()) {
            auto claim = detail::local::read_claim(paths, ticket);
            auto journal = detail::local::read_journal(paths, ticket);
            if (claim && *claim && !(*claim)->killed && detail::is_alive((*claim)->supervisor)) {
                ::kill((*claim)->supervisor.pid, SIGKILL);
                detail::local::end_leftovers(
                    ticket, journal ? *journal : std::vector<detail::JournalEntry>());
            }
        }
    }

    int next_{0};
};

/// Reserves and submits; gives the ticket.
inline asio::awaitable<Ticket> launch(Backend& backend, SubmitRequest request) {
    auto ticket = co_await backend.reserve(request);
    require_ok(ticket);
    auto submitted = co_await backend.submit(std::move(request), *ticket);
    require_ok(submitted);
    co_return *ticket;
}

inline asio::awaitable<Ticket> launch(LocalHarness& harness, Backend& backend,
                                      std::string_view script) {
    SubmitRequest request = harness.request(script);
    co_return co_await launch(backend, std::move(request));
}

}  // namespace sparkhost::test

#endif
