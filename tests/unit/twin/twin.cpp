// SPDX-License-Identifier: Apache-2.0
#include "twin_life.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::twin {

namespace {

constexpr std::size_t most_rounds = 400;

asio::awaitable<void> perform(std::function<Awaitable<void>()> call) {
    auto done = co_await call();
    (void)done;
}

}  // namespace

Twin::Twin(const Scenario& scenario, Schedule schedule)
    : store(make_memory_storage()),
      scenario_(scenario),
      schedule_(schedule),
      steps_(scenario.steps.size()) {
    if (scenario_.set_up) {
        scenario_.set_up(*this);
    }
}

Twin::~Twin() {
    for (auto& life : lives_) {
        clear_away(*life);
    }
    own_.poll();
    for (auto& each : at_end) {
        each();
    }
}

void Twin::run() {
    do {
        begin_life();
        live();
        bury();
    } while (lives_.back()->course->dead() && lives_.size() < 4);
    check();
    if (scenario_.check) {
        scenario_.check(*this);
    }
}

void Twin::begin_life() {
    auto life = std::make_unique<Life>();
    life->course = std::make_shared<Course>(trace_);
    Course& course = *life->course;
    const auto number = lives_.size();
    trace_->push_back("host " + std::to_string(number + 1));
    course.on_death = [io = life->io] { io->stop(); };
    course.dies_at = number == 0 ? schedule_.first : number == 1 ? schedule_.second : never;
    if (number == 0) {
        course.held_at = schedule_.held;
        course.also_held_at = schedule_.also_held;
        course.meddled_at = schedule_.meddled;
        course.on_meddle = [this, io = life->io] {
            meddling_due_ = true;
            asio::post(*io, [this] { ask_next(); });  // a request of its own, not from within this
        };
    }
    if (schedule_.jump.count() != 0) {
        course.on_effect = [this, raw = &course, ahead = std::size_t{0}]() mutable {
            if (raw->passed() == schedule_.jumps_at + 1 && ahead++ == 0) {
                trace_->push_back("the wall clock jumps");
                clock->jump(schedule_.jump);
            }
        };
    }
    lives_.push_back(std::move(life));
    lives_.back()->make_host(*this, scenario_);
}

/// Until the host is dead, or everything has come to rest.
void Twin::live() {
    Life& life = *lives_.back();
    auto passed = std::chrono::milliseconds{0};
    for (std::size_t round = 0; round < most_rounds; ++round) {
        settle();
        if (life.course->dead()) {
            return;
        }
        look_around();
        if (ask_next() || life.course->let_go() || move_cluster() ||
            (scenario_.move && scenario_.move(*this))) {
            continue;
        }
        if (!late_.empty()) {
            let_calls_arrive();
            continue;
        }
        if (!meddling_due_) {
            meddling_due_ = true;  // it had less effects than that
            continue;
        }
        const bool waits = !at_rest();
        if (!waits || passed >= scenario_.patience) {
            return;
        }
        constexpr std::chrono::seconds longest_retry{31};
        trace_->push_back("time passes");
        clock->advance(longest_retry);
        passed += longest_retry;
    }
    complain(Fault::stuck, "it does not come to rest");
}

/// All that can be done now.
bool Twin::settle() {
    bool any = false;
    for (bool more = true; more;) {
        more = false;
        auto& io = *lives_.back()->io;
        if (!lives_.back()->course->dead()) {
            io.restart();
            more = io.poll() != 0;
        }
        own_.restart();
        more = own_.poll() != 0 || more;
        more = (move_others && move_others()) || more;
        any = any || more;
    }
    return any;
}

/// Answered, or to be asked no more.
bool Twin::is_over(std::size_t step) const {
    const StepState& state = steps_[step];
    const bool lost = state.asked_in != never && state.asked_in + 1 != lives_.size();
    return state.answered || (lost && !scenario_.steps[step].repeated);
}

/// Asks what is due and has not been asked of this host. True: something was.
bool Twin::ask_next() {
    const auto life = lives_.size() - 1;
    bool asked = false;
    bool free = true;  // of what is asked one after the other
    for (std::size_t number = 0; number < steps_.size(); ++number) {
        const Step& step = scenario_.steps[number];
        StepState& state = steps_[number];
        if (is_over(number)) {
            continue;
        }
        const bool due = step.meddling ? meddling_due_ : std::exchange(free, false);
        if (due && state.asked_in != life) {
            state.asked_in = life;
            trace_->push_back("client: " + step.name);
            step.ask(*this, number);
            asked = true;
        }
    }
    return asked;
}

/// One step of one batch's application.
bool Twin::move_cluster() {
    auto& cluster = *applications->cluster;
    for (const auto& ticket : cluster.submitted()) {
        const auto status = cluster.status(ticket);
        const auto at = ticket.find("-batch-");
        if (!status || status->state == ApplicationState::ended || at == std::string::npos) {
            continue;
        }
        const auto subject = ticket.substr(at + 1, ticket.rfind('-') - at - 1);
        if (status->state == ApplicationState::submitted) {
            cluster.start(ticket);
        } else if (status->state == ApplicationState::started) {
            cluster.bring_context_up(ticket, "app-" + subject);
        } else {
            const auto program = programs.find(subject);
            const auto end =
                program == programs.end() ? std::pair(Outcome::success, 0) : program->second;
            cluster.end(ticket, end.first, end.second);
        }
        trace_->push_back("cluster: " + ticket + " goes on");
        return true;
    }
    return false;
}

bool Twin::pass_time(std::chrono::minutes in_all) {
    const auto begin = testing::ManualClock().steady_now();
    if (clock->steady_now() - begin >= in_all) {
        return false;
    }
    trace_->push_back("time passes");
    clock->advance(std::chrono::seconds(20));
    return true;
}

void Twin::let_calls_arrive() {
    trace_->push_back("calls of the dead host arrive");
    for (auto& call : std::exchange(late_, {})) {
        asio::co_spawn(own_, perform(std::move(call)), asio::detached);
    }
}

/// The host may be dead now. What it had begun to ask may arrive later.
void Twin::bury() {
    Life& life = *lives_.back();
    if (!life.course->dead()) {
        return;
    }
    for (auto& [what, call] : life.course->on_their_way) {
        left_calls_ = true;
        if (schedule_.arrives_late) {
            late_.push_back(call);
        }
    }
    if (host_died) {
        host_died();
    }
    if (schedule_.goes_on_alone) {
        while (move_cluster()) {
        }
    }
}

bool Twin::at_rest() const {
    for (std::size_t number = 0; number < steps_.size(); ++number) {
        if (!is_over(number)) {
            return false;
        }
    }
    return lives_.back()->rested;
}

void Twin::clear_away(Life& life) {
    life.course->clear_away();
    life.host.reset();  // as stop()
    life.io->restart();
    for (int round = 0; round < 1000 && life.io->poll() != 0; ++round) {
    }
    if (!life.over) {
        clock->advance(std::chrono::minutes(1));
        life.io->restart();
        life.io->poll();
    }
    if (!life.over) {
        trace_->push_back("a host was left that does not end");
    }
}

Host& Twin::host() {
    return *lives_.back()->host;
}
asio::io_context& Twin::io() {
    return *lives_.back()->io;
}
CoursePtr Twin::course() {
    return lives_.back()->course;
}

std::vector<std::size_t> Twin::effects() const {
    std::vector<std::size_t> counts;
    for (const auto& life : lives_) {
        counts.push_back(life->course->passed());
    }
    return counts;
}

void Twin::complain(Fault fault, std::string text) {
    violations_.push_back({fault, std::move(text)});
}

void Twin::answered(std::size_t step) {
    steps_[step].answered = true;
}

}  // namespace sparkhost::twin
