// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/secrets.hpp"

#include "backends/common/spark_conf.hpp"
#include "backends/common/ticket_names.hpp"
#include "backends/common/utf8.hpp"
#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::size_t longest_reported_text = 4096;

ClaimAnswer refuse_claim(ClaimAnswer::Code code, std::string detail) {
    ClaimAnswer answer;
    answer.code = code;
    answer.detail = std::move(detail);
    return answer;
}

ClaimAnswer over() {
    return refuse_claim(ClaimAnswer::Code::ended, "this ticket was killed, or is over");
}

/// Why a claim cannot be granted, whoever else asks; nothing: it may be.
std::optional<ClaimAnswer> refusal_at_sight(GuardedState& state, const DriverClaim& claim) {
    const auto* facts = state.find(claim.ticket);
    if (facts == nullptr ||
        !equal_secrets(claim.secret, guard_secret_of(state.key, claim.ticket, facts->nonce))) {
        return refuse_claim(ClaimAnswer::Code::unknown,
                            "there is no such ticket here, or its secret is another one");
    }
    if (facts->end || facts->kill_requested || !facts->prepared) {
        return over();
    }
    return std::nullopt;
}

struct Decided {
    ClaimDecision decision{};
    std::vector<ClaimAnswer::File> files{};
};

/// Reads first what a grant comes with: what cannot be given is not granted.
Result<Decided> decide_claim(GuardedState& state, const DriverClaim& claim,
                             const std::string& driver) {
    Decided decided;
    auto files = state.tickets.granted(claim.ticket);
    if (!files) {
        return files.error();
    }
    decided.files = std::move(*files);
    auto decision = state.claims.claim(claim.ticket, claim.nonce, driver);
    if (!decision) {
        return decision.error();
    }
    decided.decision = std::move(*decision);
    return decided;
}

/// A driver may know what the cluster calls it; else there is only one.
std::string name_of_driver(GuardedState& state, const DriverClaim& claim) {
    const TicketFacts& facts = *state.find(claim.ticket);
    if (state.traits.is_driver(claim.driver)) {
        return claim.driver;
    }
    return facts.drivers.size() == 1 ? facts.drivers.front() : facts.intended;
}

Awaitable<ClaimAnswer> judge_claim(std::shared_ptr<GuardedState> state, DriverClaim claim) {
    if (auto refusal = refusal_at_sight(*state, claim)) {
        co_return std::move(*refusal);
    }
    const std::string driver = name_of_driver(*state, claim);
    if (driver.empty()) {
        co_return refuse_claim(ClaimAnswer::Code::unknown, state->traits.unnamed_driver);
    }
    SPARKHOST_CRASH_POINT("guarded.claim.asked");
    auto decide = [state, claim, driver] { return decide_claim(*state, claim, driver); };
    Result<Decided> decided =
        co_await run_blocking(state->context.blocking_executor, std::move(decide));
    SPARKHOST_CRASH_POINT("guarded.claim.decided");
    if (!decided && decided.error().is(Errc::invalid_argument)) {
        co_return refuse_claim(ClaimAnswer::Code::unknown, decided.error().text());
    }
    if (!decided) {
        co_return refuse_claim(ClaimAnswer::Code::later, decided.error().text());
    }
    auto* facts = state->find(claim.ticket);
    if (facts == nullptr) {  // released meanwhile: what was granted is nobody's
        auto forget = [state, ticket = claim.ticket] { return state->claims.forget(ticket); };
        (void)co_await run_blocking(state->context.blocking_executor, std::move(forget));
        co_return over();
    }
    switch (decided->decision.answer) {
        case ClaimDecision::Answer::claimed:
            co_return refuse_claim(
                ClaimAnswer::Code::claimed,
                "another driver (" + decided->decision.entry.driver + ") has claimed this ticket");
        case ClaimDecision::Answer::killed:
            co_return over();
        case ClaimDecision::Answer::granted:
            break;
    }
    if (!facts->claimed) {
        JournalLine line;
        line.what = JournalLine::What::claimed;
        line.at = state->now();
        line.text = decided->decision.entry.driver;
        // the book has it: a line that cannot be written costs the time of the start only
        Result<void> written = co_await record(state, claim.ticket, line);
        facts = state->find(claim.ticket);
        if (!written && facts != nullptr && !facts->claimed) {
            apply(*facts, line);
            state->tell_changed(claim.ticket);
        }
    }
    if (facts != nullptr) {
        facts->guard_is_there = true;
    }
    state->hurry();
    ClaimAnswer answer;
    answer.code = ClaimAnswer::Code::granted;
    answer.files = std::move(decided->files);
    co_return answer;
}

/// What comes from a driver can be anything.
std::string reported_text(const std::string& text) {
    std::string good = valid_utf8(text.substr(0, longest_reported_text));
    for (char& c : good) {
        c = has_control_character(std::string_view(&c, 1)) ? ' ' : c;
    }
    return good;
}

std::string reported_address(const std::string& url) {
    const std::string good = reported_text(url);
    return good.starts_with("http://") || good.starts_with("https://") ? good : std::string();
}

class DriverJudge final : public ClaimJudge {
public:
    explicit DriverJudge(std::weak_ptr<GuardedState> state) : state_(std::move(state)) {}

    Awaitable<ClaimAnswer> claim(DriverClaim claim) override {
        auto state = state_.lock();
        return state ? judge_claim(std::move(state), std::move(claim)) : gone();
    }
    void reported(DriverReport report) override {
        if (const auto state = state_.lock()) {
            take_report(*state, report);
        }
    }

    /// Its driver may have ended without a word: System.exit, a signal.
    void guard_gone(std::string ticket) override {
        const auto state = state_.lock();
        auto* facts = state ? state->find(ticket) : nullptr;
        if (facts != nullptr && !facts->end) {
            facts->guard_is_there = false;
            state->hurry();
        }
    }

private:
    static Awaitable<ClaimAnswer> gone() {
        co_return refuse_claim(ClaimAnswer::Code::later, "the server is stopping");
    }

    static void take_report(GuardedState& state, const DriverReport& report) {
        auto* facts = state.find(report.ticket);
        if (facts == nullptr || !facts->claimed || facts->end) {
            return;
        }
        const std::string id = reported_text(report.application_id);
        const std::string ui = reported_address(report.ui_url);
        // the cluster's address of the same UI is the better one
        const bool is_news = id != facts->application_id || (facts->ui_url.empty() && !ui.empty());
        if (!id.empty() && is_news) {
            note(state, *facts, report.ticket, JournalLine::What::application, id, ui);
        }
        if (report.ended && !facts->main_ended) {
            note(state, *facts, report.ticket, JournalLine::What::main_ended,
                 reported_text(report.error), {});
            state.hurry();
        }
        state.tell_changed(report.ticket);
    }

    /// The guard says it again after a crash: nobody waits for the disk.
    static void note(GuardedState& state, TicketFacts& facts, const std::string& ticket,
                     JournalLine::What what, std::string text, std::string more) {
        JournalLine line{what, state.now(), std::move(text), std::move(more)};
        apply(facts, line);
        asio::post(state.context.blocking_executor,
                   [store = state.tickets, ticket, line] { (void)store.append(ticket, line); });
    }

    std::weak_ptr<GuardedState> state_;
};

}  // namespace

std::shared_ptr<ClaimJudge> make_judge(const std::shared_ptr<GuardedState>& state) {
    return std::make_shared<DriverJudge>(state);
}

}  // namespace sparkhost::detail::guarded
