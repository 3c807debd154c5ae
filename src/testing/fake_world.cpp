// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_world.hpp"

#include "testing/log_page.hpp"

#include <algorithm>
#include <stdexcept>

namespace sparkhost::detail::fake {

WaiterPtr World::enter(const std::string& name) {
    const std::lock_guard lock(mutex);
    auto& operation = operations[name];
    ++operation.calls;
    std::erase_if(operation.watchers, [&](const auto& watcher) {
        const bool due = operation.calls >= watcher.first;
        if (due) {
            watcher.second->wake(WakeReason::changed);
        }
        return due;
    });
    if (!operation.held) {
        return nullptr;
    }
    return operation.waiting.emplace_back(std::make_shared<Waiter>());
}

Result<void> World::verdict(const std::string& name) {
    const std::lock_guard lock(mutex);
    auto& operation = operations[name];
    if (operation.failures == 0) {
        return ok();
    }
    --operation.failures;
    return operation.error;
}

Result<void> World::submit(const std::string& realm, const std::string& ticket,
                           std::map<std::string, std::string> driver_files) {
    const std::lock_guard lock(mutex);
    auto found = applications.find(ticket);
    if (found != applications.end() && !found->second.taken) {
        return Error(Errc::invalid_state, "kill has taken the ticket " + ticket);
    }
    if (found != applications.end() || released.contains(ticket)) {
        return ok();  // adopted: user code has had its one start
    }
    submitted.push_back(ticket);
    auto& application = add(realm, ticket);
    application.taken = true;
    application.starts = 1;
    application.driver_files = std::move(driver_files);
    if (pace == testing::FakeCluster::Pace::by_hand) {
        report(application);
        return ok();
    }
    advance(application, ApplicationState::started);
    application.status.application_id = "fake-app-" + std::to_string(next_application_id++);
    advance(application, ApplicationState::context_up);
    if (other_ends.left == 0) {
        conclude(application, Outcome::success, 0, {});
    } else {
        --other_ends.left;
        conclude(application, other_ends.outcome, other_ends.exit_code, "ended as the test wants");
    }
    return ok();
}

void World::kill(const std::string& realm, const std::string& ticket) {
    const std::lock_guard lock(mutex);
    if (released.contains(ticket)) {
        return;
    }
    auto found = applications.find(ticket);
    auto& application = found == applications.end() ? add(realm, ticket) : found->second;
    application.forgotten = false;
    const bool runs = application.status.state >= ApplicationState::started;
    conclude(application, Outcome::killed, runs ? std::optional<int>(143) : std::nullopt,
             application.taken ? "killed" : "killed before it was started");
}

void World::release(const std::string& ticket, bool keep_log) {
    const std::lock_guard lock(mutex);
    if (auto gone = released.find(ticket); gone != released.end()) {
        if (!keep_log) {
            gone->second.has_log = false;
            gone->second.log.clear();
        }
        return;
    }
    auto found = applications.find(ticket);
    if (found == applications.end()) {
        return;
    }
    auto& application = found->second;
    wake_readers(application);
    const bool has_log = keep_log && application.taken;
    Released rest{.starts = application.starts, .has_log = has_log, .log = {}};
    if (has_log) {
        rest.log = std::move(application.log);
    }
    applications.erase(found);
    released.emplace(ticket, std::move(rest));
}

std::pair<Result<LogPage>, WaiterPtr> World::read_log(const LogRequest& request) {
    const std::lock_guard lock(mutex);
    const auto& ticket = request.ticket.id;
    if (auto gone = released.find(ticket); gone != released.end() && gone->second.has_log) {
        auto page = page_of(gone->second.log, request);
        page.complete = true;
        return {std::move(page), nullptr};
    }
    auto found = applications.find(ticket);
    if (found == applications.end() || !found->second.taken) {
        return {Error(Errc::not_found, "there is no log of " + ticket), nullptr};
    }
    auto& application = found->second;
    const bool complete = application.status.state == ApplicationState::ended;
    const auto first = first_line(request.offset, application.log.size());
    if (request.follow && !complete && first >= static_cast<std::int64_t>(application.log.size())) {
        return {LogPage{}, application.readers.emplace_back(std::make_shared<Waiter>())};
    }
    auto page = page_of(application.log, request);
    page.complete = complete;
    return {std::move(page), nullptr};
}

std::shared_ptr<Watch> World::begin_watch(std::string realm) {
    const std::lock_guard lock(mutex);
    auto watch = std::make_shared<Watch>();
    watch->realm = std::move(realm);
    fill_snapshot(*watch);
    return watches.emplace_back(std::move(watch));
}

void World::end_watch(const std::shared_ptr<Watch>& watch) {
    const std::lock_guard lock(mutex);
    std::erase(watches, watch);
}

Application& World::known(const std::string& ticket) {
    auto found = applications.find(ticket);
    if (found == applications.end()) {
        throw std::invalid_argument("ticket: the cluster does not know \"" + ticket + '"');
    }
    return found->second;
}

Application& World::add(const std::string& realm, const std::string& ticket) {
    auto& application = applications[ticket];
    application.realm = realm;
    application.order = next_order++;
    application.status.ticket = ticket;
    return application;
}

void World::advance(Application& application, ApplicationState state) {
    auto& status = application.status;
    if (application.forgotten || !application.taken || status.state >= state) {
        return;
    }
    status.state = state;
    if (!status.started) {
        status.started = clock->now();
    }
    if (state == ApplicationState::context_up) {
        status.context_up = clock->now();
        status.ui_url = "http://driver.example:4040";
    }
    report(application);
}

void World::conclude(Application& application, Outcome outcome, std::optional<int> exit_code,
                     std::string reason) {
    auto& status = application.status;
    if (application.forgotten || status.state == ApplicationState::ended) {
        return;
    }
    status.state = ApplicationState::ended;
    status.outcome = outcome;
    status.exit_code = exit_code;
    status.reason = std::move(reason);
    status.ended = clock->now();
    report(application);
    wake_readers(application);
}

void World::count_change() {
    ++changes;
    for (const auto& watcher : std::exchange(change_watchers, {})) {
        watcher->wake(WakeReason::changed);
    }
}

void World::report(const Application& application) {
    count_change();
    for (const auto& watch : watches) {
        if (watch->realm == application.realm) {
            watch->mailbox.push_back({Message::Kind::status, application.status, {}});
            wake(*watch);
        }
    }
}

void World::fill_snapshot(Watch& watch) const {
    std::vector<const Application*> known;
    for (const auto& [ticket, application] : applications) {
        if (application.realm == watch.realm && !application.forgotten) {
            known.push_back(&application);
        }
    }
    std::sort(known.begin(), known.end(),
              [](const auto* left, const auto* right) { return left->order < right->order; });
    for (const auto* application : known) {
        watch.mailbox.push_back({Message::Kind::status, application->status, {}});
    }
    watch.mailbox.push_back({Message::Kind::snapshot_complete, {}, {}});
}

void World::wake_readers(Application& application) {
    for (const auto& reader : std::exchange(application.readers, {})) {
        reader->wake(WakeReason::changed);
    }
}

void World::wake(Watch& watch) {
    if (auto waiter = std::exchange(watch.waiter, nullptr)) {
        waiter->wake(WakeReason::changed);
    }
}

}  // namespace sparkhost::detail::fake
