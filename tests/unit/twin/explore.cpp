// SPDX-License-Identifier: Apache-2.0
#include "twin.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::twin {

namespace {

constexpr std::size_t enough = 3;     ///< violations: more of them tell nothing new
constexpr std::size_t pair_step = 3;  ///< of pairs of delays: there are very many
/// A sanitizer looks for other faults, and takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t thinning = 5;
#else
constexpr std::size_t thinning = 1;
#endif

std::string text_of(const Trace& trace) {
    std::string text;
    for (const auto& line : trace) {
        text += "\n    " + line;
    }
    return text;
}

/// Runs schedules and remembers what was wrong.
class Explorer {
public:
    Explorer(const Scenario& scenario, const Reach& reach)
        : scenario_(scenario), reach_(reach), thinning_(reach.sought ? 1 : thinning) {}

    Exploration explore() {
        const auto plain = try_one({});
        if (reach_.delays) {
            delay(plain);
        }
        if (reach_.meddles) {
            for (std::size_t at = 0; at < plain.effects.front() && !is_enough(); at += thinning_) {
                Schedule schedule;
                schedule.meddled = at;
                crash(schedule);
                if (reach_.holds_meddled) {
                    schedule.held = at;
                    crash(schedule);
                }
            }
        } else {
            crash({});
        }
        return std::move(found_);
    }

private:
    Run try_one(const Schedule& schedule) {
        ++found_.schedules;
        auto tried = run(scenario_, schedule);
        for (auto& violation : tried.violations) {
            found_.violations.push_back(violation);
        }
        return tried;
    }
    bool is_enough() const {
        return reach_.sought ? found_.found(*reach_.sought) : found_.violations.size() >= enough;
    }

    /// Without a crash: each effect is held, alone and with each later one.
    void delay(const Run& plain) {
        const auto meddled = reach_.meddles ? plain.effects.front() : 1;
        for (std::size_t held = 0; held < plain.effects.front(); ++held) {
            for (std::size_t at = 0; at < meddled && !is_enough(); at += thinning_) {
                Schedule schedule;
                schedule.held = held;
                schedule.meddled = reach_.meddles ? at : never;
                const auto alone = try_one(schedule);
                const auto step = pair_step * thinning_;
                for (auto also = held + 1 + at % step; also < alone.effects.front() && !is_enough();
                     also += step) {
                    schedule.also_held = also;
                    try_one(schedule);
                }
            }
        }
    }

    void crash(const Schedule& given) {
        const auto undisturbed = try_one(given);
        jump(given, undisturbed);
        for (std::size_t first = 0;
             reach_.crashes && first < undisturbed.effects.front() && !is_enough(); ++first) {
            for (const bool alone : {false, true}) {
                if (alone && reach_.meddles) {
                    continue;  // there are enough of them, and it is tried without meddling
                }
                auto schedule = given;
                schedule.first = first;
                schedule.goes_on_alone = alone;
                crash_again(schedule);
            }
        }
    }

    void crash_again(Schedule schedule) {
        const auto once = try_one(schedule);
        if (once.left_calls) {
            auto late = schedule;
            late.arrives_late = true;
            try_one(late);
        }
        if (!reach_.twice || once.effects.size() < 2) {
            return;
        }
        const auto step = reach_.stride * thinning_;
        for (auto second = schedule.first % step; second < once.effects[1] && !is_enough();
             second += step) {
            schedule.second = second;
            try_one(schedule);
        }
    }

    void jump(const Schedule& given, const Run& undisturbed) {
        for (const auto by : reach_.jumps) {
            for (std::size_t at = 0; at < undisturbed.effects.front() && !is_enough(); ++at) {
                auto schedule = given;
                schedule.jump = by;
                schedule.jumps_at = at;
                try_one(schedule);
                schedule.first = at + 1;
                try_one(schedule);
            }
        }
    }

    const Scenario& scenario_;
    const Reach& reach_;
    const std::size_t thinning_;
    Exploration found_{};
};

}  // namespace

std::string Schedule::to_text() const {
    std::string text;
    const auto add = [&](const char* name, std::size_t value) {
        if (value != never) {
            text +=
                std::string(text.empty() ? "" : ", ") + "." + name + " = " + std::to_string(value);
        }
    };
    add("first", first);
    add("second", second);
    add("meddled", meddled);
    add("held", held);
    add("also_held", also_held);
    text += goes_on_alone ? ", .goes_on_alone = true" : "";
    text += arrives_late ? ", .arrives_late = true" : "";
    if (jump.count() != 0) {
        text += ", .jump = " + std::to_string(jump.count()) + " h";
        add("jumps_at", jumps_at);
    }
    return "{" + text + "}";
}

bool Exploration::found(Fault fault) const {
    return std::any_of(violations.begin(), violations.end(),
                       [&](const Violation& each) { return each.fault == fault; });
}

Run run(const Scenario& scenario, const Schedule& schedule) {
    Run result;
    Twin twin(scenario, schedule);
    twin.run();
    result.effects = twin.effects();
    result.left_calls = twin.left_calls();
    for (const auto& violation : twin.violations()) {
        auto text = "scenario '" + scenario.name + "', schedule " + schedule.to_text() + ": " +
                    to_word(violation.fault) + ": " + violation.text;
        if (result.violations.empty()) {
            text += text_of(twin.trace());
        }
        result.violations.push_back({violation.fault, std::move(text)});
    }
    return result;
}

Exploration explore(const Scenario& scenario, const Reach& reach) {
    return Explorer(scenario, reach).explore();
}

}  // namespace sparkhost::twin
