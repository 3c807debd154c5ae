// SPDX-License-Identifier: Apache-2.0

// The client of the twin: what it asks, and what it remembers of the answers.

#include "twin_life.hpp"

#include <utility>

namespace sparkhost::twin {

namespace {

int rank_of(BatchState state) {
    switch (state) {
        case BatchState::starting:
            return 0;
        case BatchState::running:
            return 1;
        default:
            return 2;
    }
}

std::string name_of(BatchId id) {
    return "batch " + std::to_string(id.value);
}

std::string subject_of(BatchId id) {
    return "batch-" + std::to_string(id.value);
}

}  // namespace

void Twin::Life::make_host(Twin& twin, const Scenario& scenario) {
    HostPlugins plugins;
    plugins.storage = make_twin_storage(twin.store, course);
    auto backend = make_twin_backend(twin.applications, course);
    if (scenario.mutation.storage) {
        plugins.storage = scenario.mutation.storage(std::move(plugins.storage), twin);
    }
    if (scenario.mutation.backend) {
        backend = scenario.mutation.backend(std::move(backend), twin);
    }
    plugins.backends.push_back(std::move(backend));
    plugins.clock = twin.clock;
    if (twin.add_plugins) {
        twin.add_plugins(plugins, course);
    }
    HostOptions options;
    if (scenario.configure) {
        scenario.configure(options);
    }
    options.blocking_executor = io->get_executor();
    options.log = [trace = twin.trace_](const LogEvent& event) {
        trace->push_back("log: " + event.message);
    };
    host.emplace(io->get_executor(), std::move(options), std::move(plugins));
    auto ended = [this, &twin](std::exception_ptr escaped, Result<void> result) {
        over = true;
        if ((escaped || !result) && !course->dead()) {
            twin.complain(Fault::wrong_answer,
                          "run(): " + (escaped ? "an exception" : result.error().text()));
        }
    };
    asio::co_spawn(*io, host->run(), std::move(ended));
    for (const auto& [id, batch] : twin.ledger.batches) {
        if (!batch.erase_asked) {
            twin.watch(id);
        }
    }
}

/// Sees every version that there is.
void Twin::watch(BatchId id) {
    Life& life = *lives_.back();
    if (!life.watched.insert(id).second) {
        return;
    }
    const auto again = std::make_shared<std::function<void(std::int64_t)>>();
    *again = [this, raw = &life, id, weak = std::weak_ptr(again)](std::int64_t version) {
        ChangeRequest change;
        change.id = id;
        change.seen_version = version;
        auto seen = [this, raw, before = this->seen(id), next = weak.lock()](
                        std::exception_ptr, Result<BatchRecord> record) {
            if (!raw->course->dead() && record) {
                observe(*record, before);
                (*next)(record->version);
            }
        };
        asio::co_spawn(*raw->io, raw->host->wait_for_change(change), std::move(seen));
    };
    const auto before = seen(id);
    (*again)(before ? before->version : 0);
}

/// `before` is what the client had seen when it asked: answers may overtake each other.
void Twin::observe(const BatchRecord& record, const std::optional<BatchRecord>& before) {
    auto& batch = ledger.batches[record.id];
    const auto words = name_of(record.id) + " version " + std::to_string(record.version) + " " +
                       std::string(to_string(record.state()));
    if (before) {
        const auto left = " after version " + std::to_string(before->version) + " " +
                          std::string(to_string(before->state()));
        const bool flapped = rank_of(record.state()) < rank_of(before->state()) ||
                             (before->has_ended() && record.state() != before->state());
        const bool differs = record.version == before->version && !(record == *before);
        if (record.version < before->version || flapped || differs) {
            complain(Fault::went_back, words + left + (differs ? " (another content)" : ""));
        }
    }
    if (!batch.seen || batch.seen->version < record.version) {
        batch.seen = record;
    }
}

std::optional<BatchRecord> Twin::seen(BatchId id) const {
    const auto known = ledger.batches.find(id);
    return known == ledger.batches.end() ? std::nullopt : known->second.seen;
}

/// Lists everything, and has a look at whether anything is under way.
void Twin::look_around() {
    Life& life = *lives_.back();
    auto seen = [this, raw = &life, before = ledger](std::exception_ptr, Result<BatchPage> page) {
        if (raw->course->dead() || !page) {
            return;
        }
        raw->rested = true;
        for (const auto& record : page->batches) {
            const auto known = before.batches.find(record.id);
            if (known != before.batches.end() && known->second.erased) {
                complain(Fault::went_back, name_of(record.id) + " is listed after its deletion");
            }
            observe(record, known == before.batches.end() ? std::nullopt : known->second.seen);
            raw->rested =
                raw->rested && record.phase == BatchPhase::released && !record.erase_requested;
        }
    };
    asio::co_spawn(*life.io, life.host->list({}), std::move(seen));
    for (const auto& [id, batch] : ledger.batches) {
        auto found = [this, raw = &life, before = batch.seen](std::exception_ptr,
                                                              Result<BatchRecord> record) {
            if (!raw->course->dead() && record) {
                observe(*record, before);
            }
        };
        asio::co_spawn(*life.io, life.host->find(id), std::move(found));
    }
    settle();
}

void Twin::submit(std::size_t step, BatchSpec spec) {
    auto key = spec.idempotency_key;
    const auto first = ledger.by_key.find(key);
    const auto before = first == ledger.by_key.end() ? std::nullopt : seen(first->second);
    ask<BatchRecord>(step, host().submit(std::move(spec)), [this, key, before](auto answer) {
        const bool was_deleted = ledger.batches.contains(BatchId{0}) &&
                                 ledger.batches.at(BatchId{0}).erase_asked && !key.empty();
        if (!answer && answer.error().is(Errc::already_exists) && was_deleted) {
            return;  // as documented: made with this key, and deleted
        }
        if (!answer) {
            return complain(Fault::wrong_answer, "submit: " + answer.error().text());
        }
        const auto id = answer->id;
        ledger.accepted.insert(id);
        if (!key.empty() && !(ledger.by_key.emplace(key, id).first->second == id)) {
            complain(Fault::wrong_answer, "the same key was answered with " + name_of(id));
        }
        observe(*answer, before);
        watch(id);
    });
}

void Twin::kill(std::size_t step, BatchId id) {
    ledger.batches[id].kill_asked = true;
    ask<BatchRecord>(step, host().kill(id), [this, id, before = seen(id)](auto answer) {
        auto& batch = ledger.batches[id];
        if (!answer && answer.error().is(Errc::not_found) && !is_acknowledged(id)) {
            batch.kill_asked = batch.erase_asked;  // it is not there yet, or not any more
            return;
        }
        if (!answer) {
            return complain(Fault::wrong_answer, "kill: " + answer.error().text());
        }
        observe(*answer, before);
        if (!batch.starts_at_kill) {
            batch.starts_at_kill = applications->starts(subject_of(id));
        }
    });
}

void Twin::erase(std::size_t step, BatchId id) {
    const bool asked_before = std::exchange(ledger.batches[id].erase_asked, true);
    ledger.batches[id].kill_asked = true;
    ask<void>(step, host().erase(id), [this, id, asked_before](auto answer) {
        auto& batch = ledger.batches[id];
        if (!answer && answer.error().is(Errc::not_found) && !asked_before &&
            !is_acknowledged(id)) {
            batch.kill_asked = batch.erase_asked = false;  // it was not there yet
            return;
        }
        if (!answer && !(asked_before && answer.error().is(Errc::not_found))) {
            return complain(Fault::wrong_answer, "erase: " + answer.error().text());
        }
        batch.erased = true;
        if (!batch.starts_at_kill) {
            batch.starts_at_kill = applications->starts(subject_of(id));
        }
    });
}

/// The client has been told, or has seen, that it is there, and has not had it deleted.
bool Twin::is_acknowledged(BatchId id) const {
    const auto known = ledger.batches.find(id);
    return ledger.accepted.contains(id) ||
           (known != ledger.batches.end() && known->second.seen && !known->second.erase_asked);
}

BatchSpec spec_of(std::string name, std::string key) {
    BatchSpec spec;
    spec.file = "/jobs/job.py";
    spec.name = std::move(name);
    spec.idempotency_key = std::move(key);
    return spec;
}

Step submits(BatchSpec spec) {
    Step step;
    step.name = "submit " + spec.idempotency_key;
    step.repeated = !spec.idempotency_key.empty();
    step.ask = [spec](Twin& twin, std::size_t number) { twin.submit(number, spec); };
    return step;
}

namespace {

/// Asks about a batch; whoever sees it in a list may do so before its own client has an answer.
Step about(std::string name, BatchId id, void (Twin::*what)(std::size_t, BatchId)) {
    Step step;
    step.name = std::move(name);
    step.ask = [id, what](Twin& twin, std::size_t number) { (twin.*what)(number, id); };
    return step;
}

}  // namespace

Step kills(BatchId id) {
    return about("kill " + name_of(id), id, &Twin::kill);
}
Step erases(BatchId id) {
    return about("erase " + name_of(id), id, &Twin::erase);
}
Step meddling(Step step) {
    step.meddling = true;
    return step;
}

}  // namespace sparkhost::twin
