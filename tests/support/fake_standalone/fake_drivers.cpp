// SPDX-License-Identifier: Apache-2.0
#include "support/fake_standalone/fake_drivers.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <utility>

namespace sparkhost::test::alone {

using namespace std::chrono_literals;

std::string argument(const Driver& driver, const std::string& name) {
    for (const auto& each : driver.args) {
        if (each.starts_with(name + "=")) {
            return each.substr(name.size() + 1);
        }
    }
    return {};
}

DriverPtr Drivers::create(boost::json::object body) {
    auto driver = std::make_shared<Driver>();
    char id[64]{};
    std::snprintf(id, sizeof id, "driver-20261122063000-%04zu", drivers_.size());
    driver->id = id;
    for (const auto& each : body.at("appArgs").as_array()) {
        driver->args.emplace_back(each.as_string());
    }
    for (const auto& [name, value] : body.at("environmentVariables").as_object()) {
        driver->environment[std::string(name)] = std::string(value.as_string());
    }
    std::random_device random;
    for (int i = 0; i < 32; ++i) {
        driver->nonce += "0123456789abcdef"[random() % 16];
    }
    driver->timer = std::make_shared<boost::asio::steady_timer>(io_);
    driver->body = std::move(body);
    drivers_.push_back(driver);
    known_[driver->id] = driver;
    if (!holds_launches) {
        boost::asio::post(io_, [this, driver] { launch(driver); });
    }
    return driver;
}

DriverPtr Drivers::find(const std::string& id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : found->second;
}

void Drivers::let_go() {
    holds_launches = holds_claims = holds_ends = false;
    for (const auto& each : drivers_) {
        if (each->state == "SUBMITTED") {
            launch(each);
        } else if (each->state == "RUNNING" && each->granted) {
            run_to_the_end(each);
        } else if (each->state == "RUNNING") {
            claim(each);
        }
    }
}

void Drivers::launch(const DriverPtr& driver) {
    if (driver->state != "SUBMITTED") {
        return;
    }
    driver->state = "RUNNING";
    note();
    if (!holds_claims) {
        claim(driver);
    }
}

void Drivers::claim_later(const DriverPtr& driver, std::chrono::milliseconds pause) {
    driver->timer->expires_after(pause);
    driver->timer->async_wait([this, driver](boost::system::error_code failed) {
        if (!failed) {
            claim(driver);
        }
    });
}

void Drivers::claim(const DriverPtr& driver) {
    if (driver->state != "RUNNING" || driver->granted) {
        return;
    }
    DriverClaim claim;
    claim.ticket = driver->environment["SPARKHOST_GUARD_TICKET"];
    claim.secret = driver->environment["SPARKHOST_GUARD_SECRET"];
    claim.nonce = driver->nonce;
    claim.driver = driver->id;
    auto done = [this, driver](ClaimAnswer answer) {
        boost::asio::post(io_, [this, driver, answer = std::move(answer)]() mutable {
            answered(driver, std::move(answer));
        });
    };
    const bool asked = desk_->claim(std::move(claim), std::move(done));
    claim_later(driver, asked ? 500ms : 10ms);  // asks again when its host is gone
}

void Drivers::answered(const DriverPtr& driver, ClaimAnswer answer) {
    if (driver->state != "RUNNING" || driver->granted) {
        return;
    }
    if (answer.code == ClaimAnswer::Code::later) {
        claim_later(driver, 10ms);
        return;
    }
    driver->timer->cancel();
    if (answer.code != ClaimAnswer::Code::granted) {
        driver->error += "sparkhost: the claim was refused: " + answer.detail + "\n";
        end(driver, "FAILED");
        return;
    }
    driver->granted = true;
    driver->files = std::move(answer.files);
    run(driver);
}

void Drivers::run(const DriverPtr& driver) {
    ++starts_[argument(*driver, "mark")];
    if (has_contexts && reports) {
        DriverReport report;
        report.ticket = driver->environment["SPARKHOST_GUARD_TICKET"];
        report.driver = driver->id;
        report.application_id = "app-" + driver->id.substr(7);
        report.ui_url = "http://127.0.0.1:4040";
        desk_->report(std::move(report));
    }
    note();
    if (!holds_ends) {
        run_to_the_end(driver);
    }
}

void Drivers::run_to_the_end(const DriverPtr& driver) {
    const std::string program = argument(*driver, "program");
    if (driver->is_over() || program == "endless") {
        return;
    }
    driver->out += "one\ntwo\nthree\n";
    if (program == "succeeds" && reports) {
        DriverReport report;
        report.ticket = driver->environment["SPARKHOST_GUARD_TICKET"];
        report.driver = driver->id;
        report.ended = true;
        desk_->report(std::move(report));
    }
    end(driver, program == "succeeds" ? "FINISHED" : "FAILED");
}

void Drivers::end(const DriverPtr& driver, std::string state, std::string message) {
    driver->state = std::move(state);
    driver->message = std::move(message);
    driver->timer->cancel();
    note();
}

bool Drivers::kill(const std::string& id) {
    const auto driver = find(id);
    if (!driver || driver->is_over()) {
        return false;
    }
    boost::asio::post(io_, [this, driver] {
        if (!driver->is_over()) {
            end(driver, "KILLED");
        }
    });
    return true;
}

}  // namespace sparkhost::test::alone
