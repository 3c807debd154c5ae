// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/ticket_facts.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace sparkhost::detail::guarded {

namespace {

using What = JournalLine::What;

constexpr std::size_t max_steps = 64;

constexpr std::array journal_words{
    std::pair{What::intended, "intended"},     std::pair{What::driver, "driver"},
    std::pair{What::claimed, "claimed"},       std::pair{What::application, "application"},
    std::pair{What::main_ended, "main_ended"}, std::pair{What::kill_requested, "kill_requested"},
    std::pair{What::launched, "launched"},     std::pair{What::waiting, "waiting"}};

std::int64_t to_number(Timestamp at) {
    return at.time_since_epoch().count();
}

Timestamp to_timestamp(std::int64_t number) {
    return Timestamp(std::chrono::milliseconds(number));
}

std::string text_in(const boost::json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                  : std::string();
}

void add_step(TicketFacts& facts, std::string what, const JournalLine& line) {
    if (facts.steps.size() < max_steps) {
        facts.steps.push_back({std::move(what), line.at, line.text});
    }
}

}  // namespace

std::string write_journal_line(const JournalLine& line) {
    const auto* word = std::find_if(journal_words.begin(), journal_words.end(),
                                    [&line](const auto& each) { return each.first == line.what; });
    boost::json::object object{{"at", to_number(line.at)}, {"what", word->second}};
    if (!line.text.empty()) {
        object["text"] = line.text;
    }
    if (!line.more.empty()) {
        object["more"] = line.more;
    }
    return boost::json::serialize(object) + "\n";
}

std::optional<JournalLine> read_journal_line(std::string_view text) {
    try {
        const auto value = boost::json::parse(text);
        const auto& object = value.as_object();
        const std::string word = text_in(object, "what");
        const auto* known = std::find_if(journal_words.begin(), journal_words.end(),
                                         [&word](const auto& each) { return each.second == word; });
        if (known == journal_words.end()) {
            return std::nullopt;
        }
        JournalLine line;
        line.what = known->first;
        line.at = to_timestamp(object.at("at").as_int64());
        line.text = text_in(object, "text");
        line.more = text_in(object, "more");
        return line;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

void apply(TicketFacts& facts, const JournalLine& line) {
    switch (line.what) {
        case What::intended:
            facts.intended = line.text;
            break;
        case What::driver:
            if (std::find(facts.drivers.begin(), facts.drivers.end(), line.text) ==
                facts.drivers.end()) {
                facts.drivers.push_back(line.text);
                add_step(facts, "driver_created", line);
            }
            break;
        case What::claimed:
            facts.claimed = facts.claimed.value_or(line.at);
            facts.claimed_by = line.text;
            break;
        case What::application:
            facts.context_up = facts.context_up.value_or(line.at);
            facts.application_id = line.text;
            facts.ui_url = line.more;
            break;
        case What::main_ended:
            facts.main_ended = true;
            facts.error = line.text;
            break;
        case What::kill_requested:
            facts.kill_requested = true;
            break;
        case What::launched:
            facts.worker = line.more;
            add_step(facts, "driver_launched", line);
            break;
        case What::waiting:
            add_step(facts, "waiting", line);
            break;
    }
}

void take_over_kill(TicketFacts& known, const TicketFacts& read) {
    known.kill_requested = known.kill_requested || read.kill_requested;
    if (known.intended.empty()) {
        known.intended = read.intended;
    }
    for (const auto& driver : read.drivers) {
        if (std::find(known.drivers.begin(), known.drivers.end(), driver) == known.drivers.end()) {
            known.drivers.push_back(driver);
        }
    }
    if (!known.end) {
        known.end = read.end;
    }
}

std::string write_end(const TicketEnd& end) {
    boost::json::object object{
        {"at", to_number(end.at)}, {"outcome", to_string(end.outcome)}, {"reason", end.reason}};
    if (end.exit_code) {
        object["exit_code"] = *end.exit_code;
    }
    return boost::json::serialize(object) + "\n";
}

std::optional<TicketEnd> read_end(std::string_view text) {
    try {
        const auto value = boost::json::parse(text);
        const auto& object = value.as_object();
        TicketEnd end;
        end.at = to_timestamp(object.at("at").as_int64());
        end.reason = text_in(object, "reason");
        if (const auto* code = object.if_contains("exit_code")) {
            end.exit_code = static_cast<int>(code->as_int64());
        }
        const std::string word = text_in(object, "outcome");
        for (const auto each :
             {Outcome::success, Outcome::failed, Outcome::killed, Outcome::unknown}) {
            if (to_string(each) == word) {
                end.outcome = each;
                return end;
            }
        }
    } catch (const std::exception&) {
    }
    return std::nullopt;
}

ApplicationStatus status_of(const std::string& ticket, const TicketFacts& facts) {
    ApplicationStatus status;
    status.ticket = ticket;
    status.application_id = facts.application_id;
    status.ui_url = facts.ui_url;
    status.started = facts.claimed;
    status.context_up = facts.context_up;
    status.steps = facts.steps;
    if (facts.claimed) {
        status.state = facts.context_up ? ApplicationState::context_up : ApplicationState::started;
    }
    if (facts.end) {
        status.state = ApplicationState::ended;
        status.outcome = facts.end->outcome;
        status.exit_code = facts.end->exit_code;
        status.reason = facts.end->reason;
        status.ended = facts.end->at;
    }
    return status;
}

}  // namespace sparkhost::detail::guarded
