// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_FAKE_BACKEND_HPP
#define SPARKHOST_TESTING_FAKE_BACKEND_HPP

#include <sparkhost/backend.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::fake {
struct World;
}

namespace sparkhost::testing {

struct FakeBackendOptions {
    std::string name{"fake"};  ///< traits().name. Default: "fake"
    /// traits().shares_files. Without it a submit takes copies of SubmitRequest::driver_files, and
    /// fails where one cannot be read. Default: true
    bool shares_files{true};
};

/// A cluster in memory: what FakeBackends start lives here, so it outlives the host that
/// started it, as on a real cluster. Tests steer it and look at what was asked of it.
/// Thread safety: safe. Lifetime: let go of what is held before its executor goes away.
class FakeCluster {
public:
    FakeCluster();
    ~FakeCluster();

    /// An application goes on by itself: `submitted` at submit, nothing more (default), or all
    /// the way to a successful end (application ids are "fake-app-1", "fake-app-2" …).
    enum class Pace { by_hand, runs_through };
    void set_pace(Pace pace);

    /// The next `count` applications that run through end so, instead of successfully.
    void end_next(Outcome outcome, int exit_code, std::size_t count = 1);

    /// Calls of this operation ("open", "reserve", "submit", "kill", "release", "read_log") wait
    /// until let_go(operation). The call has been counted when it waits.
    ///
    /// Each operation has a second gate, "<operation>_reply", passed after it has had its effect
    /// and before it answers: hold("submit_reply") makes the cluster start the application
    /// without the host knowing yet.
    void hold(std::string operation);
    void let_go(std::string operation);

    /// The next `count` calls of the operation fail with `error`, before doing anything; at
    /// "<operation>_reply": after doing everything. Calls that are held now are the next ones.
    void fail_next(std::string operation, Error error, std::size_t count = 1);

    /// Reports, as a cluster would. The ticket must be known (submitted or killed), else
    /// std::invalid_argument. What has ended stays as it ended.
    void start(std::string ticket);
    void bring_context_up(std::string ticket, std::string application_id);
    /// Adds to ApplicationStatus::steps, at this moment.
    void add_step(std::string ticket, std::string what, std::string reason = {});
    void end(std::string ticket, Outcome outcome, int exit_code, std::string reason = {});
    void forget(
        std::string ticket);  ///< as if the cluster had lost it: no report, not in snapshots

    void append_log(std::string ticket, std::string line);

    /// Breaks every watch, as a dropped connection does: each gives a fresh snapshot. What it
    /// had not delivered yet is gone.
    void drop_watches();

    /// Every watch says EventSink::trouble; with an empty reason that it is over.
    void trouble(std::string reason);

    /// How often user code was started for this ticket: never more than 1, or the host is wrong.
    std::size_t starts(std::string ticket) const;
    /// The files that its driver was given, by their names.
    std::map<std::string, std::string> driver_files(std::string ticket) const;
    /// How an application stands, whether or not anybody watches. Nothing: it is not known,
    /// forgotten or released.
    std::optional<ApplicationStatus> status(std::string ticket) const;
    /// Reports so far, of all applications.
    std::size_t changes() const;
    /// Completes when there have been more than `seen`. Cancellation: completes at once.
    boost::asio::awaitable<void> until_changed(std::size_t seen);
    /// Tickets handed to submit, in order of the first call.
    std::vector<std::string> submitted() const;
    /// Calls so far of an operation, also those that wait or failed.
    std::size_t calls(std::string operation) const;
    /// Completes when `calls(operation)` has reached `count`. Cancellation: completes at once.
    boost::asio::awaitable<void> until_called(std::string operation, std::size_t count = 1);

private:
    friend std::unique_ptr<Backend> make_fake_backend(std::shared_ptr<FakeCluster> cluster,
                                                      FakeBackendOptions options);
    std::shared_ptr<detail::fake::World> world_;
};

/// A Backend on a FakeCluster. Tickets are "<store uuid's first 8>-<subject>-<attempt>". Each
/// store and each backend name sees its own applications only.
std::unique_ptr<Backend> make_fake_backend(std::shared_ptr<FakeCluster> cluster,
                                           FakeBackendOptions options = {});

}  // namespace sparkhost::testing

#endif
