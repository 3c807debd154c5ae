// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TWIN_TWIN_HPP
#define SPARKHOST_TESTS_UNIT_TWIN_TWIN_HPP

// The deterministic twin: a real Host over a store in memory, a cluster in memory and a clock that
// is moved by hand, run in one thread, so that the same schedule always gives the same course.
//
// An *effect* is a durable or outward step: a commit (before it is written, and before its caller
// knows), a call of the backend (before it arrives, and before its answer), a report, a word of an
// agent, an answer to the client. See course.hpp and plugins.hpp. The world – store, cluster,
// agents, what the client knows – survives a host; the host may die between any two effects.
//
// A scenario says what a client asks. A schedule says where the first host dies and where the
// second one does, what is delayed, and what happens while nobody is there; the third host is left
// in peace. Then the client's ledger is compared with the store, the events and the cluster.
// explore() tries every schedule of a kind. What it finds wrong it prints with the schedule and the
// trace of effects; run(scenario, schedule) repeats it.
//
// What is not a point of its own: reads, which change nothing, and files (a claim file is written
// and synced within one step).

#include "plugins.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::twin {

/// Sorts of what can be found wrong.
enum class Fault {
    lost,                ///< what was acknowledged is not there
    doubled,             ///< user code was started twice
    not_run,             ///< nobody wanted it to end, and it has not run
    started_after_kill,  ///< user code started after a kill or delete had been answered
    wrong_end,           ///< the record and the cluster differ about the end
    went_back,           ///< a client saw an older version, or a state that had been left
    holes_in_events,     ///< numbers, versions or states of events are not in order
    left_behind,         ///< the cluster still keeps an application that is over
    stuck,               ///< something never came to its end
    wrong_answer         ///< a client was told what is not so
};
const char* to_word(Fault fault);

struct Violation {
    Fault fault{};
    std::string text{};
};

/// What happens in a run beside the scenario.
struct Schedule {
    std::size_t first{never};      ///< effect before which the first host dies
    std::size_t second{never};     ///< the same for the second one
    std::size_t meddled{never};    ///< effect of the first host at which the meddling step is asked
    std::size_t held{never};       ///< effect of the first host that waits for all else
    std::size_t also_held{never};  ///< the same, and waits longer
    bool goes_on_alone{false};   ///< the cluster brings everything to its end while nobody is there
    bool arrives_late{false};    ///< calls of the dead host arrive when the next one is at rest
    std::chrono::hours jump{0};  ///< the wall clock jumps so far …
    std::size_t jumps_at{never};  ///< … at this effect of each host
    std::string to_text() const;
};

class Twin;

/// One thing that the client asks.
struct Step {
    std::string name{};
    std::function<void(Twin&, std::size_t number)> ask{};
    bool repeated{true};  ///< asked again while it is not answered, of each host
    bool meddling{
        false};  ///< asked at Schedule::meddled, not when the one before has been answered
};

/// What stands between the host and its plug-ins, to break it: see mutants.hpp.
struct Mutation {
    std::function<std::unique_ptr<Storage>(std::unique_ptr<Storage>, Twin&)> storage{};
    std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend>, Twin&)> backend{};
};

struct Scenario {
    std::string name{};
    std::vector<Step> steps{};
    std::function<void(HostOptions&)> configure{};
    std::function<void(Twin&)> set_up{};  ///< of the world, before the first host
    /// More to be moved by the world when everything is at rest; false: nothing (any more).
    std::function<bool(Twin&)> move{};
    std::function<void(Twin&)> check{};  ///< more than the ledger check
    bool forgets{false};                 ///< what has ended is erased after a while
    Mutation mutation{};
    std::chrono::milliseconds patience{std::chrono::minutes(3)};  ///< that time may pass at rest
};

/// What the client knows, beside what it sees.
struct Ledger {
    struct Batch {
        std::optional<std::size_t> starts_at_kill{};  ///< when a kill or delete was answered
        bool kill_asked{false};
        bool erase_asked{false};
        bool erased{false};  ///< and it was answered so
        std::optional<BatchRecord> seen{};
    };
    std::map<BatchId, Batch> batches{};       ///< that were acknowledged, or seen in a list
    std::set<BatchId> accepted{};             ///< acknowledged
    std::map<std::string, BatchId> by_key{};  ///< idempotency keys that were answered
};

/// A world and the hosts that live in it, one after the other.
class Twin {
public:
    Twin(const Scenario& scenario, Schedule schedule);
    ~Twin();
    Twin(const Twin&) = delete;
    Twin& operator=(const Twin&) = delete;

    void run();

    // For scenarios.

    /// Asks the host of this life; its answer is an effect.
    template <class T>
    void ask(std::size_t step, Awaitable<T> call, std::function<void(Result<T>)> answered);
    void answered(std::size_t step);
    void submit(std::size_t step, BatchSpec spec);
    void kill(std::size_t step, BatchId id);
    void erase(std::size_t step, BatchId id);
    Host& host();
    asio::io_context& io();
    CoursePtr course();
    /// Moves the clock a step, as long as less than this has passed since the beginning.
    bool pass_time(std::chrono::minutes in_all);
    /// The answer of the store itself, when a run is over.
    template <class T>
    Result<T> from_store(Awaitable<T> call);
    std::int64_t stored();  ///< batches that are in the store
    void complain(Fault fault, std::string text);
    void observe(const BatchRecord& record, const std::optional<BatchRecord>& before);
    std::optional<BatchRecord> seen(BatchId id) const;
    bool is_acknowledged(BatchId id) const;

    std::shared_ptr<testing::ManualClock> clock{std::make_shared<testing::ManualClock>()};
    ApplicationsPtr applications{std::make_shared<Applications>()};
    std::shared_ptr<Storage> store;
    std::map<std::string, std::pair<Outcome, int>> programs{};  ///< how subjects end; else: well
    Ledger ledger{};
    std::function<void(HostPlugins&, CoursePtr)> add_plugins{};
    std::function<bool()> move_others{};  ///< what others can do now; whether there was any
    std::function<void()> host_died{};
    std::vector<std::function<void()>> at_end{};

    const std::vector<Violation>& violations() const { return violations_; }
    const Trace& trace() const { return *trace_; }
    /// Effects of each life.
    std::vector<std::size_t> effects() const;
    /// Calls were on their way when a host died.
    bool left_calls() const { return left_calls_; }

private:
    struct Life;
    void begin_life();
    void live();
    bool settle();
    bool ask_next();
    bool is_over(std::size_t step) const;
    bool move_cluster();
    void bury();
    void let_calls_arrive();
    void watch(BatchId id);
    void look_around();
    bool at_rest() const;
    void check();
    void check_batch(const BatchRecord& record);
    void check_events();
    void clear_away(Life& life);

    struct StepState {
        std::size_t asked_in{never};  ///< number of the life
        bool answered{false};
    };

    const Scenario& scenario_;
    Schedule schedule_;
    std::shared_ptr<Trace> trace_{std::make_shared<Trace>()};
    std::vector<std::unique_ptr<Life>> lives_{};
    std::vector<StepState> steps_{};
    std::vector<std::function<Awaitable<void>()>> late_{};
    asio::io_context own_{1};
    bool meddling_due_{false};
    bool left_calls_{false};
    std::vector<Violation> violations_{};
};

/// Which schedules are tried.
struct Reach {
    bool crashes{true};         ///< the first host dies at each effect
    bool twice{true};           ///< the second one, too
    bool meddles{false};        ///< the meddling step is asked at each effect
    bool delays{false};         ///< each effect, and pairs of effects, are held, without a crash
    bool holds_meddled{false};  ///< the effect that is meddled with is held (with crashes)
    std::vector<std::chrono::hours> jumps{};  ///< the wall clock jumps at each effect
    std::size_t stride{1};          ///< of the second crashes only every so many are tried
    std::optional<Fault> sought{};  ///< goes on until this is found
};

struct Exploration {
    std::size_t schedules{0};
    std::vector<Violation> violations{};  ///< the first few
    bool found(Fault fault) const;
};

/// Tries every schedule; ends early when more than a few are wrong.
Exploration explore(const Scenario& scenario, const Reach& reach);

/// One schedule. What it finds wrong has been given its trace.
struct Run {
    std::vector<std::size_t> effects{};
    bool left_calls{false};
    std::vector<Violation> violations{};
};
Run run(const Scenario& scenario, const Schedule& schedule);

// Steps of clients.
BatchSpec spec_of(std::string name = {}, std::string key = {});
Step submits(BatchSpec spec);
Step kills(BatchId id);
Step erases(BatchId id);
Step meddling(Step step);

}  // namespace sparkhost::twin

#endif
