// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_BACKEND_RIG_HPP
#define SPARKHOST_SRC_TESTING_BACKEND_RIG_HPP

// What the cases of the backend conformance kit are written with: a host reduced to its calls.

#include <sparkhost/testing/backend_conformance.hpp>

#include "hop.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <vector>

namespace sparkhost::testing::backend_cases {

namespace asio = boost::asio;
using Case = asio::awaitable<void>;
using Here = std::source_location;
using Program = BackendFixture::Program;

[[noreturn]] void fail(const std::string& text, const Here& here = Here::current());
void expect(bool holds, const std::string& text, const Here& here = Here::current());
std::string name_of(ApplicationState state);

/// The value of a result that must have one.
template <class T>
T value_of(Result<T> result, const Here& here = Here::current()) {
    if (!result) {
        fail("unexpected error: " + result.error().code.message() + ": " + result.error().text(),
             here);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

template <class T>
void expect_error(const Result<T>& result, Errc wanted, const Here& here = Here::current()) {
    const auto wish = "'" + make_error_code(wanted).message() + "'";
    if (result) {
        fail("success, where the error " + wish + " is due", here);
    }
    if (!result.error().is(wanted)) {
        fail("the error '" + result.error().code.message() + "' (" + result.error().text() +
                 "), where " + wish + " is due",
             here);
    }
}

/// One application of a case.
struct Job {
    std::string mark;
    SubmitRequest request;
    Ticket ticket;
};

/// What the watches of a case have told so far, and which rules they have broken.
class Journal {
public:
    std::map<std::string, ApplicationStatus> latest;  ///< by ticket
    std::set<std::string> expected;                   ///< tickets given to submit or kill
    std::set<std::string> in_snapshot;                ///< reported since the last snapshot began
    std::size_t snapshots{0};                         ///< completed ones
    std::size_t calls{0};
    std::vector<std::string> violations;

    void take(const ApplicationStatus& report);
    bool reached(const std::string& ticket, ApplicationState state) const;

private:
    void compare(const ApplicationStatus& before, const ApplicationStatus& now);
    void violation(const std::string& ticket, const std::string& text);
};

/// The result of an operation that was started and not awaited.
template <class T>
using Slot = std::shared_ptr<std::optional<Result<T>>>;

/// All members belong to the strand.
class Rig {
public:
    Rig(BackendFixture& fixture, BackendConformanceOptions options, asio::any_io_executor loop,
        asio::any_io_executor pool);

    // The life of the host.
    asio::awaitable<void> open();   ///< makes a backend and opens it
    void begin_watch();             ///< the watch runs; its snapshot may not be there yet
    asio::awaitable<void> watch();  ///< until the snapshot is complete
    asio::awaitable<void> stop_watching();
    asio::awaitable<void> close();    ///< as a host that stops: no watch, no backend
    asio::awaitable<void> start();    ///< open() and watch()
    asio::awaitable<void> restart();  ///< close() and start()
    void use_another_store();         ///< from the next open() on

    Backend& backend() { return *backend_; }

    // Applications.
    Job plan(Program program);  ///< not reserved yet
    asio::awaitable<Job> reserve(Program program);
    asio::awaitable<Job> launch(Program program);  ///< reserve and submit
    asio::awaitable<Result<void>> submit(Job job);
    asio::awaitable<Result<void>> kill(Job job);
    asio::awaitable<Result<void>> release(Job job, bool keep_log = true);
    asio::awaitable<Result<LogPage>> read_log(LogRequest request);
    asio::awaitable<ApplicationStatus> until(Job job, ApplicationState state);
    asio::awaitable<ApplicationStatus> until_ended(Job job);
    /// Launches and waits for the end.
    asio::awaitable<Job> run_through(Program program);
    /// Starts counted after another application has run through: what has been started wrongly
    /// in the meantime has shown itself by then.
    asio::awaitable<std::size_t> settled_starts(Job job);
    std::size_t starts(const Job& job) { return fixture_.starts(job.mark); }

    // Several at a time.
    Slot<void> begin_submit(const Job& job);
    Slot<void> begin_kill(const Job& job);
    Slot<LogPage> begin_read_log(LogRequest request, asio::cancellation_signal& signal);
    asio::awaitable<Result<void>> finish(Slot<void> slot, std::string what);
    asio::awaitable<Result<LogPage>> finish(Slot<LogPage> slot, std::string what);
    asio::awaitable<void> yield(std::size_t times);
    asio::awaitable<void> wait(std::string what, std::function<bool()> holds);

    /// Kills and releases what is left. Best effort.
    asio::awaitable<void> tidy();

    // For the runner.
    const detail::Strand& strand() const { return strand_; }
    std::chrono::steady_clock::time_point deadline() const { return deadline_; }
    const std::string& waiting_for() const { return waiting_for_; }

    BackendConformanceOptions options;
    Journal journal;

private:
    friend class Recorder;
    template <class T>
    Slot<T> begin(Awaitable<T> operation, asio::cancellation_slot cancel = {});
    template <class T>
    asio::awaitable<Result<T>> finish_slot(Slot<T> slot, std::string what);
    void busy_with(std::string what);
    void notify() { news_.cancel(); }

    BackendFixture& fixture_;
    asio::any_io_executor loop_;
    asio::any_io_executor pool_;
    detail::Strand strand_;
    asio::steady_timer news_;
    std::string store_uuid_;
    std::shared_ptr<Backend> backend_;
    std::shared_ptr<class Recorder> recorder_;
    std::shared_ptr<asio::cancellation_signal> stop_watch_;
    Slot<void> watch_;
    std::vector<Job> jobs_;
    int next_subject_{0};
    std::string waiting_for_;
    std::chrono::steady_clock::time_point deadline_;
};

/// Runs the loop until `finished`. False: it hangs.
template <class Deadline>
bool run_until(asio::io_context& loop, const bool& finished, Deadline deadline) {
    constexpr std::size_t most_late = 100'000;  // by then it is work without an end
    loop.restart();
    std::size_t late = 0;
    while (!finished) {
        late = loop.run_one_until(deadline()) != 0 ? 0 : late + 1;
        // what can be done when the time is over is only late: the machine was busy elsewhere
        if (late > most_late || (late > 0 && loop.poll_one() == 0)) {
            return false;
        }
    }
    return true;
}

void add_submit_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options);
void add_watch_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options);
void add_kill_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options);
void add_release_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options);
void add_log_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options);

}  // namespace sparkhost::testing::backend_cases

#endif
