// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launch_recipe.hpp"
#include "backends/local/local_state.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>

namespace sparkhost::detail::local {

namespace {

/// What the blocking part of a submit has come to.
struct Start {
    std::optional<Claim> claim{};         ///< somebody has the ticket already
    std::shared_ptr<UniqueFd> answers{};  ///< of the supervisor that was started
};

Result<Start> start_application(LaunchRecipe recipe, const SupervisorProgram& program,
                                const ArchivePlan& archive) {
    Start start;
    auto claim = read_claim(recipe.paths, recipe.ticket);
    if (!claim) {
        return claim.error();
    }
    if (*claim) {
        start.claim = *claim;
        return start;
    }
    recipe.archive = usable_archive(archive, recipe.data, recipe.environment);
    auto plan = make_launch_plan(recipe);
    if (!plan) {
        return Error(Errc::backend_failed, plan.error().text());
    }
    auto prepared = prepare_ticket_folder(recipe.paths, recipe.ticket,
                                          write_properties(recipe.data.properties), *plan);
    if (!prepared) {
        return prepared.error();
    }
    SPARKHOST_CRASH_POINT("local.submit.plan_written");
    auto answers = start_supervisor(program, recipe.paths.folder(recipe.ticket));
    SPARKHOST_CRASH_POINT("local.submit.supervisor_started");
    if (!answers) {
        return answers.error();
    }
    start.answers = std::make_shared<UniqueFd>(std::move(*answers));
    return start;
}

Result<void> judge_claim(const Claim& claim) {
    if (!claim.given_up.empty()) {
        return Error(Errc::backend_failed, claim.given_up);
    }
    if (claim.killed) {
        return Error(Errc::invalid_state, "it was killed before it was started");
    }
    return ok();
}

/// It was not started as far as we know: makes sure that it never will be, unless it was after
/// all. Where it cannot, the one started may still take the ticket: indeterminate. Blocking.
Result<void> give_up(const WorkPaths& paths, const std::string& ticket, Timestamp now,
                     const std::string& why) {
    auto claim = claim_for_killer(paths, ticket, now, why);
    if (!claim) {
        return Error(Errc::indeterminate, why + "; " + claim.error().detail);
    }
    return judge_claim(*claim);
}

}  // namespace

Awaitable<void> submit_application(std::shared_ptr<LocalState> state, SubmitRequest request,
                                   Ticket ticket) {
    if (!is_ticket_id(ticket.id)) {
        co_return Error(Errc::backend_failed, "\"" + ticket.id + "\" is no ticket of this backend");
    }
    auto data = decode_ticket_data(ticket.data);
    if (!data) {
        co_return data.error();
    }
    LaunchRecipe recipe;
    recipe.ticket = ticket.id;
    recipe.paths = state->paths;
    recipe.spec = std::move(request.spec);
    recipe.data = std::move(*data);
    recipe.environment = state->spark.environment;
    recipe.grace = state->options.kill_grace;
    auto pool = state->context.blocking_executor;
    auto begin = [recipe, program = state->supervisor, archive = state->archive] {
        return start_application(recipe, *program, archive);
    };
    Result<Start> start = co_await run_blocking(pool, std::move(begin));
    std::string why;
    if (start && start->claim) {
        Result<void> judged = judge_claim(*start->claim);
        if (judged) {
            state->announce(ticket.id);
        }
        co_return judged;
    }
    if (start) {
        std::string answer = co_await read_answer(std::move(*start->answers));
        SPARKHOST_CRASH_POINT("local.submit.answered");
        if (answer == "claimed") {
            state->announce(ticket.id);
            if (state->watch) {
                // after this launch, so as not to delay it
                auto strand = co_await asio::this_coro::executor;
                state->trainer.start(state->archive, strand, pool, state->context.log);
            }
            co_return ok();
        }
        why = answer.starts_with("error ") ? answer.substr(6)
                                           : "the supervisor has not said that it started it";
    } else if (start.error().is(Errc::rejected)) {
        co_return Error(Errc::indeterminate, start.error().detail);  // nothing runs: later, then
    } else {
        why = start.error().text();
    }
    // also when another supervisor has taken it: the claim says who
    auto settle = [paths = state->paths, id = ticket.id, now = state->context.clock->now(), why] {
        return give_up(paths, id, now, why);
    };
    Result<void> settled = co_await run_blocking(pool, std::move(settle));
    if (settled) {
        state->announce(ticket.id);
    }
    co_return settled;
}

}  // namespace sparkhost::detail::local
