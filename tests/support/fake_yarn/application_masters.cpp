// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/application_masters.hpp"

#include "support/fake_yarn/localizer.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

namespace sparkhost::test::yarn {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace masters_detail {

constexpr int killed_by_node = 143;
constexpr int not_localized = -1000;
constexpr int no_context = 13;
constexpr int refused_by_guard = 1;
const std::string guard_class = "io.sparkhost.guard.DriverGuard";
const std::string guard_link = "__sparkhost_guard__.jar";

std::string fresh_nonce() {
    std::random_device random;
    std::string nonce;
    for (int i = 0; i < 32; ++i) {
        nonce += "0123456789abcdef"[random() % 16];
    }
    return nonce;
}

/// [class, argument…] of the granted arguments.json.
std::vector<std::string> granted_words(const std::vector<ClaimAnswer::File>& files) {
    for (const auto& each : files) {
        if (each.name == "arguments.json") {
            return json::value_to<std::vector<std::string>>(json::parse(each.content));
        }
    }
    return {};
}

}  // namespace masters_detail

using namespace masters_detail;

std::string argument(const Am& am, const std::string& name) {
    for (const auto& each : am.args) {
        if (each.starts_with(name + "=")) {
            return each.substr(name.size() + 1);
        }
    }
    return {};
}

AmPtr ApplicationMasters::find(const std::string& container) const {
    const auto found = by_container_.find(container);
    return found == by_container_.end() ? nullptr : found->second;
}

AmPtr ApplicationMasters::last_of(const std::string& application) const {
    AmPtr last;
    for (const auto& each : all_) {
        last = each->application == application ? each : last;
    }
    return last;
}

void ApplicationMasters::launch(const Application& application) {
    auto am = std::make_shared<Am>();
    am->application = application.id;
    am->container = application.container;
    am->user = application.user;
    am->nonce = fresh_nonce();
    am->timer = std::make_shared<boost::asio::steady_timer>(io_);
    const auto& spec = application.context.at("am-container-spec").as_object();
    for (const auto& [name, value] : entries_of(spec, "environment")) {
        am->environment[name] = json::value_to<std::string>(value);
    }
    auto localized = localize(hdfs_, application);
    am->localized = std::move(localized.files);
    all_.push_back(am);
    by_container_[am->container] = am;
    if (!localized.sin.empty()) {
        store_.sins.push_back(localized.sin);
    }
    if (!localized.failure.empty()) {
        am->exit_words = localized.failure;
        exit(am, not_localized);
        return;
    }
    if (const auto lack = what_it_lacks(application, *am); !lack.empty()) {
        am->error = "ERROR ApplicationMaster: Uncaught exception: \n" + lack + "\n";
        exit(am, no_context);
        return;
    }
    tell(am);
    if (!holds_claims) {
        claim(am);
    }
}

/// Without these no JVM would find, or begin with, the guard.
std::string ApplicationMasters::what_it_lacks(const Application& application, const Am& am) const {
    const auto& spec = application.context.at("am-container-spec");
    const auto command = json::value_to<std::string>(spec.at("commands").at("command"));
    const auto class_path = am.environment.find("CLASSPATH");
    const bool has_guard = am.localized.contains(guard_link) &&
                           class_path != am.environment.end() &&
                           class_path->second.find(guard_link) != std::string::npos &&
                           command.find(guard_class) != std::string::npos;
    if (!has_guard) {
        return "java.lang.ClassNotFoundException: " + guard_class;
    }
    if (!am.localized.contains("__spark_conf__")) {
        return "java.io.FileNotFoundException: __spark_conf__/__spark_conf__.properties";
    }
    if (command.find("@granted") == std::string::npos) {
        return "java.lang.IllegalArgumentException: no main class";
    }
    return {};
}

void ApplicationMasters::let_go() {
    holds_claims = holds_ends = false;
    for (const auto& each : std::vector<AmPtr>(all_)) {
        if (!each->is_over() && each->granted) {
            run_to_the_end(each);
        } else if (!each->is_over()) {
            claim(each);
        }
    }
}

void ApplicationMasters::claim_later(const AmPtr& am, std::chrono::milliseconds pause) {
    am->timer->expires_after(pause);
    am->timer->async_wait([this, am](boost::system::error_code failed) {
        if (!failed) {
            claim(am);
        }
    });
}

void ApplicationMasters::claim(const AmPtr& am) {
    if (am->is_over() || am->granted) {
        return;
    }
    DriverClaim claim;
    claim.ticket = am->environment["SPARKHOST_GUARD_TICKET"];
    claim.secret = am->environment["SPARKHOST_GUARD_SECRET"];
    claim.nonce = am->nonce;
    claim.driver = am->application;
    auto done = [this, am](ClaimAnswer answer) {
        boost::asio::post(io_, [this, am, answer = std::move(answer)]() mutable {
            answered(am, std::move(answer));
        });
    };
    const bool asked = desk_->claim(std::move(claim), std::move(done));
    claim_later(am, asked ? 500ms : 10ms);  // asks again when its host is gone
}

void ApplicationMasters::answered(const AmPtr& am, ClaimAnswer answer) {
    if (am->is_over()) {
        desk_->leave(am->environment["SPARKHOST_GUARD_TICKET"]);
        return;
    }
    if (am->granted) {
        return;
    }
    if (answer.code == ClaimAnswer::Code::later) {
        claim_later(am, 10ms);
        return;
    }
    am->timer->cancel();
    if (answer.code != ClaimAnswer::Code::granted) {
        am->error += "sparkhost: the claim was refused: " + answer.detail + "\n";
        exit(am, refused_by_guard);
        return;
    }
    am->granted = true;
    am->files = std::move(answer.files);
    am->args = granted_words(am->files);
    if (am->args.empty()) {
        store_.sins.push_back("a driver was granted no arguments.json");
        exit(am, no_context);
        return;
    }
    am->main_class = am->args.front();
    am->args.erase(am->args.begin());
    run(am);
}

void ApplicationMasters::report(const AmPtr& am, bool ended) {
    if (!reports) {
        return;
    }
    DriverReport report;
    report.ticket = am->environment["SPARKHOST_GUARD_TICKET"];
    report.driver = am->application;
    report.ended = ended;
    if (!ended) {
        report.application_id = am->application;
        report.ui_url = "http://127.0.0.1:4040";
    }
    desk_->report(std::move(report));
}

void ApplicationMasters::run(const AmPtr& am) {
    ++starts_[argument(*am, "mark")];
    if (has_contexts) {
        am->registered = true;
        report(am, false);
    }
    tell(am);
    if (!holds_ends) {
        run_to_the_end(am);
    }
}

void ApplicationMasters::run_to_the_end(const AmPtr& am) {
    const std::string program = argument(*am, "program");
    if (am->is_over() || program == "endless") {
        return;
    }
    am->out += "one\ntwo\nthree\n";
    if (program == "succeeds") {
        report(am, true);
    }
    end(am, program == "succeeds" ? 0 : 3);
}

void ApplicationMasters::end(const AmPtr& am, int exit_code, const std::string& error) {
    am->error += error;
    if (exit_code == 0 && !am->registered) {
        am->error += "java.lang.IllegalStateException: User did not initialize spark context!\n";
        exit(am, no_context);
        return;
    }
    if (exit_code == 0) {
        am->final_status = "SUCCEEDED";
        remove_tree(hdfs_, am->environment["SPARK_YARN_STAGING_DIR"]);
    } else if (unregisters_failures && am->registered) {
        am->final_status = "FAILED";
        am->last_words = "User application exited with status " + std::to_string(exit_code);
    }
    exit(am, exit_code);
}

void ApplicationMasters::exit(const AmPtr& am, int exit_code) {
    am->exit_code = exit_code;
    am->aggregated = aggregates_logs;
    am->timer->cancel();
    if (am->granted) {
        desk_->leave(am->environment["SPARKHOST_GUARD_TICKET"]);
    }
    tell(am);
}

void ApplicationMasters::kill(const std::string& container) {
    const auto am = find(container);
    if (am && !am->is_over()) {
        exit(am, killed_by_node);
    }
}

}  // namespace sparkhost::test::yarn
