// SPDX-License-Identifier: Apache-2.0
#include "mutants.hpp"

#include <sparkhost/testing/faulty_storage.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <set>
#include <utility>

namespace sparkhost::twin {

namespace {

/// Answers some commits before they are durable, and writes them with the next one.
class LateStorage final : public testing::StorageWrapper {
public:
    using Choice = std::function<bool(const Transaction&)>;
    LateStorage(std::shared_ptr<Storage> inner, Choice is_late)
        : StorageWrapper(std::move(inner)), state_(std::make_shared<State>()) {
        state_->inner = inner_;
        state_->is_late = std::move(is_late);
    }
    Awaitable<StoreInfo> open(StorageContext context) override {
        return open_it(state_, std::move(context));
    }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return commit_late(state_, std::move(transaction));
    }

private:
    struct State {
        std::shared_ptr<Storage> inner{};
        Choice is_late{};
        std::vector<Transaction> owed{};
        std::int64_t last_sequence{0};
        std::int64_t next_id{0};
    };

    static Awaitable<StoreInfo> open_it(std::shared_ptr<State> state, StorageContext context) {
        auto info = co_await state->inner->open(std::move(context));
        Query newest;
        newest.newest_first = true;
        newest.limit = 1;
        auto page = co_await state->inner->list(newest);
        state->last_sequence = info ? info->last_sequence : 0;
        state->next_id = page && !page->records.empty() ? page->records.front().key.id + 1 : 0;
        co_return info;
    }

    static Awaitable<CommitResult> commit_late(std::shared_ptr<State> state,
                                               Transaction transaction) {
        if (state->is_late(transaction)) {
            CommitResult pretended;
            for (std::size_t n = 0; n < transaction.inserts.size(); ++n) {
                pretended.ids.push_back(state->next_id++);
            }
            state->last_sequence += static_cast<std::int64_t>(transaction.events.size());
            pretended.last_sequence = state->last_sequence;
            state->owed.push_back(std::move(transaction));
            co_return pretended;
        }
        for (auto& owed : std::exchange(state->owed, {})) {
            auto written = co_await state->inner->commit(std::move(owed));
            (void)written;
        }
        const auto inserts = static_cast<std::int64_t>(transaction.inserts.size());
        auto committed = co_await state->inner->commit(std::move(transaction));
        if (committed && !committed->duplicate) {
            state->last_sequence = committed->last_sequence;
            state->next_id += inserts;
        }
        co_return committed;
    }

    std::shared_ptr<State> state_;
};

bool stores_a_ticket(const Transaction& transaction) {
    return !transaction.updates.empty() && transaction.updates.front().state == "reserved";
}

class ForgetfulStorage final : public testing::StorageWrapper {
public:
    using StorageWrapper::StorageWrapper;
    Awaitable<CommitResult> commit(Transaction transaction) override {
        if (stores_a_ticket(transaction)) {
            auto body = boost::json::parse(transaction.updates.front().body).as_object();
            body.erase("ticket");
            body.erase("ticket_data");
            transaction.updates.front().body = boost::json::serialize(body);
        }
        return inner_->commit(std::move(transaction));
    }
};

class MintingBackend final : public testing::BackendWrapper {
public:
    using BackendWrapper::BackendWrapper;
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return remember(inner_, mine_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_mine(inner_, mine_, std::move(request), std::move(ticket));
    }

private:
    using Tickets = std::shared_ptr<std::set<std::string>>;
    static Awaitable<Ticket> remember(std::shared_ptr<Backend> inner, Tickets mine,
                                      SubmitRequest request) {
        auto ticket = co_await inner->reserve(std::move(request));
        if (ticket) {
            mine->insert(ticket->id);
        }
        co_return ticket;
    }
    static Awaitable<void> submit_mine(std::shared_ptr<Backend> inner, Tickets mine,
                                       SubmitRequest request, Ticket ticket) {
        if (!mine->contains(ticket.id)) {
            auto minted = co_await remember(inner, mine, request);
            ticket = minted ? *minted : ticket;
        }
        co_return co_await inner->submit(std::move(request), std::move(ticket));
    }
    Tickets mine_{std::make_shared<std::set<std::string>>()};
};

class IgnorantBackend final : public testing::BackendWrapper {
public:
    using BackendWrapper::BackendWrapper;
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_counted(inner_, on_their_way_, std::move(request), std::move(ticket));
    }
    Awaitable<void> kill(Ticket ticket) override {
        return on_their_way_->contains(ticket.id) ? nothing() : inner_->kill(std::move(ticket));
    }

private:
    using Tickets = std::shared_ptr<std::set<std::string>>;
    static Awaitable<void> nothing() { co_return ok(); }
    static Awaitable<void> submit_counted(std::shared_ptr<Backend> inner, Tickets on_their_way,
                                          SubmitRequest request, Ticket ticket) {
        on_their_way->insert(ticket.id);
        auto submitted = co_await inner->submit(std::move(request), ticket);
        on_their_way->erase(ticket.id);
        co_return submitted;
    }
    Tickets on_their_way_{std::make_shared<std::set<std::string>>()};
};

template <class Wrapper>
std::unique_ptr<Backend> wrap_backend(std::unique_ptr<Backend> inner, Twin&) {
    return std::make_unique<Wrapper>(std::move(inner));
}

}  // namespace

Mutation submits_before_persisting_the_ticket() {
    Mutation mutation;
    mutation.storage = [](std::unique_ptr<Storage> inner, Twin&) -> std::unique_ptr<Storage> {
        return std::make_unique<LateStorage>(std::move(inner), stores_a_ticket);
    };
    return mutation;
}

Mutation forgets_to_persist_the_ticket() {
    Mutation mutation;
    mutation.storage = [](std::unique_ptr<Storage> inner, Twin&) -> std::unique_ptr<Storage> {
        return std::make_unique<ForgetfulStorage>(std::move(inner));
    };
    return mutation;
}

Mutation acknowledges_before_the_commit() {
    Mutation mutation;
    mutation.storage = [](std::unique_ptr<Storage> inner, Twin&) -> std::unique_ptr<Storage> {
        return std::make_unique<LateStorage>(
            std::move(inner), [](const Transaction& each) { return !each.inserts.empty(); });
    };
    return mutation;
}

Mutation mints_a_new_token_at_recovery() {
    Mutation mutation;
    mutation.backend = wrap_backend<MintingBackend>;
    return mutation;
}

Mutation kill_ignores_an_inflight_submit() {
    Mutation mutation;
    mutation.backend = wrap_backend<IgnorantBackend>;
    return mutation;
}

}  // namespace sparkhost::twin
