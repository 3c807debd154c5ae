// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/secrets.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/ticket_names.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::size_t max_driver_file = std::size_t{64} << 20;

/// A claim that was granted just before a crash may stand in the book alone.
Result<TicketFacts> read_ticket(const GuardedState& state, const std::string& ticket) {
    auto facts = state.tickets.read(ticket);
    if (!facts) {
        return facts;
    }
    auto entry = state.claims.read(ticket);
    if (!entry) {
        return entry.error();
    }
    if (entry->holder != ClaimEntry::Holder::nobody && !facts->claimed) {
        apply(*facts,
              JournalLine{JournalLine::What::claimed, state.now(), entry->driver, std::string()});
    }
    if (entry->killed && entry->holder == ClaimEntry::Holder::nobody && !facts->end &&
        !facts->kill_requested) {
        facts->kill_requested = true;  // a kill that died between the claim and its journal
    }
    return facts;
}

Result<std::vector<ClaimAnswer::File>> granted_files(const TicketData& data,
                                                     std::vector<ClaimAnswer::File> files) {
    for (const auto& each : data.files) {
        auto content = read_whole_file(each.path, max_driver_file);
        if (!content) {
            return content.error();
        }
        files.push_back({granted_name(each), std::move(*content)});
    }
    return files;
}

}  // namespace

Result<FoundTickets> find_tickets(GuardedState& state) {
    const std::string& work_dir = state.traits.work_dir;
    FoundTickets found;
    for (const auto& made : {make_folder(work_dir), state.tickets.open(), state.claims.open(),
                             make_folder(work_dir + "/logs")}) {
        if (!made) {
            return made.error();
        }
    }
    auto key = load_or_make_key(work_dir + "/key");
    auto tickets = state.tickets.list();
    if (!key || !tickets) {
        return key ? tickets.error() : key.error();
    }
    found.key = std::move(*key);
    for (const auto& ticket : *tickets) {
        auto facts = read_ticket(state, ticket);
        if (!facts) {
            return facts.error();
        }
        if (facts->store == state.context.store_uuid) {
            found.table.emplace(ticket, std::move(*facts));
        }
    }
    return found;
}

Result<std::string> free_ticket_id(const GuardedState& state, const SubmitRequest& request) {
    for (int turn = 1; turn < 1000; ++turn) {
        std::string id = ticket_id(request, turn);
        auto entry = state.claims.read(id);
        if (!entry) {
            return entry.error();
        }
        const bool claimed = entry->killed || entry->holder != ClaimEntry::Holder::nobody;
        if (!claimed && !state.tickets.exists(id) && !state.logs->exists(id)) {
            return id;
        }
    }
    return Error(Errc::backend_failed,
                 "there is no free name for a ticket in " + state.traits.work_dir);
}

Result<PreparedTicket> prepare_ticket(const GuardedState& state, const std::string& ticket,
                                      const TicketData& data, std::vector<ClaimAnswer::File> own) {
    PreparedTicket prepared;
    auto facts = state.tickets.read(ticket);
    if (!facts && facts.error().is(Errc::not_found)) {
        auto files = granted_files(data, std::move(own));
        if (!files) {
            return files.error();
        }
        if (auto made = state.tickets.prepare(ticket, {data.store, data.nonce}, &*files); !made) {
            return made.error();
        }
        facts = state.tickets.read(ticket);
    }
    if (!facts) {
        return facts.error();
    }
    auto entry = state.claims.read(ticket);
    if (!entry) {
        return entry.error();
    }
    prepared.facts = std::move(*facts);
    prepared.claim = sight_of(*entry);
    return prepared;
}

Result<TicketFacts> take_ticket(GuardedState& state, const std::string& ticket,
                                const TicketData& data, Timestamp now) {
    if (auto made = state.tickets.prepare(ticket, {data.store, data.nonce}, nullptr); !made) {
        return made.error();
    }
    auto entry = state.claims.take(ticket);
    if (!entry) {
        return entry.error();
    }
    auto facts = state.tickets.read(ticket);
    if (!facts || facts->end) {
        return facts;
    }
    if (!facts->kill_requested) {
        JournalLine line{JournalLine::What::kill_requested, now, {}, {}};
        if (auto written = state.tickets.append(ticket, line); !written) {
            return written.error();
        }
    }
    if (entry->holder == ClaimEntry::Holder::nobody) {
        TicketEnd end;
        end.outcome = Outcome::killed;
        end.reason = "killed before it was started";
        end.at = now;
        if (auto finished = state.tickets.finish(ticket, end); !finished) {
            return finished.error();
        }
    }
    return state.tickets.read(ticket);
}

Result<void> remove_ticket(GuardedState& state, const std::string& ticket, void (*point)()) {
    if (auto removed = state.tickets.remove(ticket); !removed) {
        return removed;
    }
    point();
    return state.claims.forget(ticket);
}

Awaitable<void> open_tickets(std::shared_ptr<GuardedState> state) {
    auto look = [state] { return find_tickets(*state); };
    Result<FoundTickets> found =
        co_await run_blocking(state->context.blocking_executor, std::move(look));
    if (!found) {
        co_return Error(Errc::backend_failed, found.error().text());
    }
    state->key = std::move(found->key);
    state->table = std::move(found->table);
    state->logs = std::make_shared<LogShelf>(state->traits.work_dir);
    state->judge = make_judge(state);
    if (state->context.take_claims) {
        state->context.take_claims(state->judge);
    }
    co_return ok();
}

}  // namespace sparkhost::detail::guarded
