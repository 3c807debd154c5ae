// SPDX-License-Identifier: Apache-2.0
// How applications go on in a ResourceManager, and ResourceManagers come and go.
#include "support/fake_yarn/resource_manager.hpp"
#include "support/fake_yarn/rm_pages.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace sparkhost::test::yarn {

namespace life_detail {

/// Storing takes a while: who asks at once finds it NEW_SAVING.
constexpr std::chrono::milliseconds short_while{2};

std::string attempt_of(const Application& application) {
    char number[16]{};
    std::snprintf(number, sizeof number, "_%06d", application.attempts);
    return "appattempt_" + numbers_of(application.id) + number;
}

std::string container_of(const Application& application, int epoch) {
    char epoch_part[16]{};
    std::snprintf(epoch_part, sizeof epoch_part, epoch == 0 ? "" : "e%02d_", epoch);
    char rest[32]{};
    std::snprintf(rest, sizeof rest, "_%02d_000001", application.attempts);
    return "container_" + std::string(epoch_part) + numbers_of(application.id) + rest;
}

/// What a node says about a container that did not end well.
std::string node_words(const Am& am) {
    if (!am.exit_words.empty()) {
        return "[2026-11-22 06:30:00.000]" + am.exit_words + "\n";
    }
    const auto code = std::to_string(*am.exit_code);
    const auto most = std::min<std::size_t>(am.error.size(), 4096);
    return "[2026-11-22 06:30:00.000]Exception from container-launch.\nContainer id: " +
           am.container + "\nExit code: " + code +
           "\n\n[2026-11-22 06:30:00.000]Container exited with a non-zero exit code " + code +
           ". Error file: prelaunch.err.\nLast 4096 bytes of prelaunch.err :\n"
           "Last 4096 bytes of stderr :\n" +
           am.error.substr(am.error.size() - most) + "\n\n";
}

std::string failure_words(const Application& application, const Am& am, const std::string& url) {
    return "Application " + application.id + " failed " + std::to_string(application.attempts) +
           " times due to AM Container for " + attempt_of(application) +
           " exited with  exitCode: " + std::to_string(*am.exit_code) +
           "\nFailing this attempt.Diagnostics: " + node_words(am) +
           "For more detailed output, check the application tracking page: " + url +
           "/cluster/app/" + application.id +
           " Then click on links to logs of each attempt.\n. Failing the application.";
}

}  // namespace life_detail

using namespace life_detail;

void ResourceManager::later(std::function<void()> what) {
    auto timer = std::make_shared<boost::asio::steady_timer>(io_, short_while);
    auto over = [this, timer, life = life_, what = std::move(what)](boost::system::error_code) {
        if (life == life_ && is_up_) {
            what();
            note();
        }
    };
    timer->async_wait(std::move(over));
}

void ResourceManager::save(const ApplicationPtr& application) {
    later([this, application] {
        store_.applications[application->id] = *application;
        if (dies_after_saving) {
            dies_after_saving = false;
            die();
            return;
        }
        application->state = "SUBMITTED";
        admit(application);
    });
}

void ResourceManager::admit(const ApplicationPtr& application) {
    if (application->is_being_killed) {
        return;
    }
    if (!settings_.queues.contains(application->queue)) {
        finish(application, "FAILED", "FAILED",
               "Application " + application->id + " submitted by user " + application->user +
                   " to unknown queue: " + application->queue);
        return;
    }
    application->state = "ACCEPTED";
    if (settings_.holds_launches) {
        application->diagnostics = settings_.waiting_words;
        return;
    }
    launch(application);
}

void ResourceManager::launch(const ApplicationPtr& application) {
    ++application->attempts;
    application->launched_ms = milliseconds_now();
    application->container = container_of(*application, store_.epoch);
    application->diagnostics =
        "AM container is launched, waiting for AM container to Register with RM";
    store_.applications[application->id] = *application;
    masters_.launch(*application);
}

void ResourceManager::hear(const AmPtr& am) {
    const auto found = applications.find(am->application);
    if (found == applications.end()) {
        masters_.kill(am->container);  // a node ends what its ResourceManager does not know
        return;
    }
    const auto application = found->second;
    if (application->is_over() || application->container != am->container) {
        return;
    }
    if (!am->final_status.empty()) {
        finish(application, "FINISHED", am->final_status, am->last_words);
    } else if (am->is_over() && !application->is_being_killed) {
        attempt_ended(application, *am);
    } else if (am->registered) {
        application->state = "RUNNING";
        application->diagnostics.clear();
    }
    note();
}

void ResourceManager::attempt_ended(const ApplicationPtr& application, const Am& am) {
    if (application->attempts < application->max_attempts) {
        application->state = "ACCEPTED";
        launch(application);
        return;
    }
    finish(application, "FAILED", "FAILED", failure_words(*application, am, url));
}

void ResourceManager::finish(const ApplicationPtr& application, const std::string& state,
                             const std::string& final_status, const std::string& diagnostics) {
    application->state = state;
    application->final_status = final_status;
    application->diagnostics = diagnostics;
    application->finished_ms = milliseconds_now();
    store_.applications[application->id] = *application;
    completed_.push_back(application->id);
    while (completed_.size() > settings_.max_completed) {
        applications.erase(completed_.front());
        store_.applications.erase(completed_.front());
        completed_.pop_front();
    }
    note();
}

void ResourceManager::finish_kill(const ApplicationPtr& application, const std::string& user) {
    if (application->is_over()) {
        return;
    }
    masters_.kill(application->container);
    finish(application, "KILLED", "KILLED",
           "Application " + application->id + " was killed by user " + user + " at 127.0.0.1");
}

void ResourceManager::start() {
    if (is_up_) {
        return;
    }
    is_up_ = true;
    store_.last_start += 1000;
    started_on_ = store_.last_start;
    issued_ = 0;
    open_sockets();
    if (is_one_of_two) {
        ha_state_ = "STANDBY";
        return;
    }
    ha_state_ = "INITIALIZING";
    if (!settings_.holds_recovery) {
        later([this] { take_over(); });
    }
}

void ResourceManager::die() {
    if (!is_up_) {
        return;
    }
    is_up_ = false;
    stand_by();
    close_sockets();
}

void ResourceManager::stand_by() {
    ++life_;
    ha_state_ = "STANDBY";
    applications.clear();
    completed_.clear();
    note();
}

void ResourceManager::take_over() {
    if (!is_up_ || ha_state_ == "ACTIVE") {
        return;
    }
    for (const auto& [id, stored] : store_.applications) {
        applications[id] = std::make_shared<Application>(stored);
        if (stored.is_over()) {
            completed_.push_back(id);
        }
    }
    ha_state_ = "ACTIVE";
    ++store_.epoch;
    const auto known = applications;
    for (const auto& [id, application] : known) {
        const auto am = masters_.find(application->container);
        if (application->is_over()) {
            continue;
        }
        application->is_being_killed = false;
        if (!am) {
            admit(application);
            continue;
        }
        application->state = "ACCEPTED";
        application->diagnostics = "Attempt recovered after RM restart";
        hear(am);
    }
    note();
}

void ResourceManager::let_go() {
    const auto known = applications;
    for (const auto& [id, application] : known) {
        if (application->is_being_killed) {
            finish_kill(application, application->user);
        } else if (application->state == "NEW_SAVING") {
            save(application);
        } else if (application->state == "ACCEPTED" && application->attempts == 0) {
            launch(application);
        }
    }
    if (ha_state_ == "INITIALIZING") {
        take_over();
    }
}

}  // namespace sparkhost::test::yarn
