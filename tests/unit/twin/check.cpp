// SPDX-License-Identifier: Apache-2.0

// Whether a run has kept what was promised: the client's ledger against the store, the event log
// and the cluster.

#include "core/batch_json.hpp"
#include "twin_life.hpp"

#include <utility>

namespace sparkhost::twin {

namespace {

std::string named(BatchId id) {
    return "batch " + std::to_string(id.value);
}

int rank_of_word(const std::string& state) {
    return state == "starting" ? 0 : state == "running" ? 1 : 2;
}

}  // namespace

const char* to_word(Fault fault) {
    switch (fault) {
        case Fault::lost:
            return "lost";
        case Fault::doubled:
            return "doubled";
        case Fault::not_run:
            return "not run";
        case Fault::started_after_kill:
            return "started after a kill";
        case Fault::wrong_end:
            return "wrong end";
        case Fault::went_back:
            return "went back";
        case Fault::holes_in_events:
            return "events out of order";
        case Fault::left_behind:
            return "left behind";
        case Fault::stuck:
            return "stuck";
        case Fault::wrong_answer:
            return "wrong answer";
    }
    return "unknown";
}

std::int64_t Twin::stored() {
    Query query;
    query.limit = 0;
    return from_store(store->list(query)).value().total;
}

void Twin::check() {
    for (std::size_t number = 0; number < steps_.size(); ++number) {
        if (!is_over(number)) {
            complain(Fault::stuck, "no answer to: " + scenario_.steps[number].name);
        }
    }
    Query query;
    query.limit = 1000;
    std::set<BatchId> stored;
    for (const auto& each : from_store(store->list(query)).value().records) {
        const auto record = detail::decode_batch(each).value();
        stored.insert(record.id);
        observe(record, seen(record.id));
        check_batch(record);
    }
    for (const auto id : ledger.accepted) {
        if (stored.contains(id) || ledger.batches[id].erase_asked) {
            continue;
        }
        if (scenario_.forgets) {
            const bool has_run = applications->starts("batch-" + std::to_string(id.value)) > 0;
            if (!has_run && !ledger.batches[id].kill_asked) {
                complain(Fault::not_run, named(id) + " was erased before it has run");
            }
        } else {
            complain(Fault::lost, named(id) + " was acknowledged and is not there");
        }
    }
    for (const auto& [id, batch] : ledger.batches) {
        const auto starts = applications->starts("batch-" + std::to_string(id.value));
        if (starts > 1) {
            complain(Fault::doubled,
                     named(id) + " was started " + std::to_string(starts) + " times");
        }
        if (batch.starts_at_kill && starts > *batch.starts_at_kill) {
            complain(Fault::started_after_kill,
                     named(id) + " was started after its kill or deletion was answered");
        }
    }
    for (const auto& ticket : applications->tickets) {
        if (const auto status = applications->cluster->status(ticket)) {
            complain(Fault::left_behind, "the cluster still keeps " + ticket);
        }
    }
    for (const auto& ticket : applications->cluster->submitted()) {
        bool known = ticket.find("-session-") != std::string::npos;
        for (const auto& [id, batch] : ledger.batches) {
            known = known ||
                    ticket.find("-batch-" + std::to_string(id.value) + "-") != std::string::npos;
        }
        if (!known) {
            complain(Fault::doubled, ticket + " runs what was never stored");
        }
    }
    check_events();
}

void Twin::check_batch(const BatchRecord& record) {
    const auto& batch = ledger.batches[record.id];
    const auto words = named(record.id) + " ";
    if (record.phase != BatchPhase::released) {
        complain(Fault::stuck, words + "is left " + std::string(to_string(record.phase)));
        return;
    }
    if (record.erase_requested) {
        complain(Fault::stuck, words + "was to be erased");
    }
    const auto subject = "batch-" + std::to_string(record.id.value);
    if (!batch.kill_asked && !record.kill_requested && applications->starts(subject) == 0 &&
        record.outcome != Outcome::failed) {
        complain(Fault::not_run, words + "has not run");
    }
    const auto end = applications->ends.find(record.ticket);
    const bool refused = end == applications->ends.end();
    const auto outcome =
        refused ? (record.kill_requested ? Outcome::killed : Outcome::failed) : end->second.outcome;
    const bool exit_differs = !refused && record.exit_code != end->second.exit_code;
    if (record.outcome != outcome || exit_differs) {
        complain(Fault::wrong_end, words + "has ended as " +
                                       std::string(to_string(record.outcome)) +
                                       ", its application as " + std::string(to_string(outcome)));
    }
    if (record.outcome == Outcome::killed && !batch.kill_asked) {
        complain(Fault::wrong_end, words + "was killed, and nobody has asked for it");
    }
}

void Twin::check_events() {
    const auto all = from_store(store->read_events(EventQuery{})).value();
    std::int64_t expected = 0;
    std::map<BatchId, Event> last;
    for (const auto& entry : all) {
        if (entry.sequence != ++expected) {
            complain(Fault::holes_in_events, "event " + std::to_string(entry.sequence) +
                                                 " follows event " + std::to_string(expected - 1));
            expected = entry.sequence;
        }
        if (entry.subject.kind != RecordKind::batch) {
            continue;
        }
        const auto event = detail::decode_event(entry).value();
        const auto [before, is_first] = last.emplace(event.batch, event);
        // what became known together is stored together, as events of one version
        const auto step = event.version - before->second.version;
        const bool wrong_version = is_first ? event.version != 1 : step < 0 || step > 1;
        if (wrong_version || rank_of_word(event.state) < rank_of_word(before->second.state)) {
            complain(Fault::holes_in_events,
                     named(event.batch) + ": " + event.type + " of version " +
                         std::to_string(event.version) + " follows " + before->second.type +
                         " of version " + std::to_string(before->second.version));
        }
        before->second = event;
    }
}

}  // namespace sparkhost::twin
