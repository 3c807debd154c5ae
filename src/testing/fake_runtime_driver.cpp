// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_runtime_talk.hpp"
#include "testing/fake_runtime_world.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace sparkhost::detail::fake_agents {

namespace {

StatementResult cancelled_result(std::string name, std::string value) {
    StatementResult result;
    result.outcome = StatementOutcome::cancelled;
    result.interrupted = true;
    result.error_name = std::move(name);
    result.error_value = std::move(value);
    return result;
}

StatementResult forgotten_result() {
    StatementResult result;
    result.outcome = StatementOutcome::forgotten;
    return result;
}

}  // namespace

Driver::Driver(World& world, SessionRuntime::SessionRequest wanted, std::vector<std::string> spoken,
               std::string made)
    : request(std::move(wanted)), kinds(std::move(spoken)), nonce(std::move(made)), world_(world) {}

void Driver::say(Message message) {
    if (const auto talk = talk_.lock()) {
        talk->hear(std::move(message));
    }
}

void Driver::say_ready() {
    SessionFacts facts;
    facts.application_id = "fake-session-" + std::to_string(request.id.value);
    facts.spark_version = "4.3.0";
    facts.runtime_version = "3.11.2";
    facts.pid = 1000 + request.id.value;
    say([facts](Talk& talk) { talk.told_ready(facts); });
}

void Driver::say_result(StatementId id, StatementResult result) {
    say([id, result = std::move(result)](Talk& talk) { talk.told_result(id, result); });
}

void Driver::say_output(StatementId id, OutputChunk chunk) {
    say([id, chunk = std::move(chunk)](Talk& talk) { talk.told_output(id, chunk); });
}

/// Says again what has not been settled.
void Driver::replay() {
    bool idle = ready_ && !end_ && !running_ && waiting_.empty();
    const bool quiet = ready_settled_ && std::ranges::all_of(statements_, [](const auto& entry) {
                           return entry.second.settled;
                       });
    if (ready_ && !ready_settled_) {
        say_ready();
    }
    for (auto& chunk : std::exchange(strays_, {})) {
        say([chunk](Talk& talk) { talk.told_stray(chunk); });
    }
    for (const auto& [id, statement] : statements_) {
        if (statement.settled) {
            continue;
        }
        if (statement.begun) {
            say([id = id](Talk& talk) { talk.told_busy(id); });
        }
        for (const auto& chunk : statement.output) {
            say_output(id, chunk);
        }
        if (statement.unheeded > 0) {
            say([id = id, count = statement.unheeded](Talk& talk) {
                talk.told_unheeded(id, count);
            });
        }
        if (statement.result) {
            say_result(id, *statement.result);
        }
    }
    if (idle && !quiet) {
        say([](Talk& talk) { talk.told_idle(); });
    }
    if (end_ && !end_settled_) {
        if (failure_) {
            say([why = *failure_](Talk& talk) { talk.told_failed(why); });
        }
        say([end = *end_](Talk& talk) { talk.told_ended(end); });
    }
}

void Driver::attach(std::uint64_t to_link, std::weak_ptr<Talk> to) {
    if (to_link == link && !exit_code) {
        talk_ = std::move(to);
        replay();
    }
}

void Driver::leave() {
    ++dial;
    link = 0;
    talk_.reset();
    if (const auto open = std::exchange(socket, nullptr)) {
        boost::system::error_code ignored;
        open->close(ignored);
    }
    if (const auto sleeping = std::exchange(pause, nullptr)) {
        sleeping->cancel();
    }
}

bool Driver::has_begun(StatementId id) const {
    const auto found = statements_.find(id);
    return found != statements_.end() && found->second.begun;
}

void Driver::execute(StatementSpec spec) {
    const auto id = spec.id;
    const auto known = statements_.find(id);
    if (known != statements_.end()) {
        if (known->second.result) {
            say_result(id, known->second.settled ? forgotten_result() : *known->second.result);
        }
        return;
    }
    if (!statements_.empty() && id < statements_.rbegin()->first) {
        return say_result(id, forgotten_result());  // such a number never runs
    }
    std::optional<Error> refusal;
    if (end_) {
        refusal = Error(Errc::stopped, "the session is ending");
    } else if (std::ranges::find(kinds, spec.kind) == kinds.end()) {
        refusal = Error(Errc::invalid_argument, "the agent does not speak \"" + spec.kind + '"');
    } else if (waiting_.size() >= world_.options.max_waiting) {
        refusal = Error(Errc::rejected, "too much code waits");
    }
    if (refusal) {
        return say([id, error = *refusal](Talk& talk) { talk.told_refusal(id, error); });
    }
    Statement statement;
    statement.script = world_.script_of(spec.code);
    statement.spec = std::move(spec);
    statements_.emplace(id, std::move(statement));
    waiting_.push_back(id);
    if (unwanted_ == id) {
        cancel_waiting(id);
    }
    advance();
}

void Driver::advance() {
    if (granted && !ready_ && !end_ && !exit_code && !world_.holds("ready")) {
        get_ready();
    }
    while (ready_ && !end_ && !exit_code && !running_ && !waiting_.empty()) {
        const auto id = waiting_.front();
        waiting_.pop_front();
        begin(id);
        const auto& script = statements_.at(id).script;
        if (!script.endless && !world_.holds("statement")) {
            conclude(id, script.result);
        }
    }
    world_.notify();
}

void Driver::get_ready() {
    if (auto failure = std::exchange(world_.start_failure, std::nullopt)) {
        failure_ = std::move(*failure);
        say([why = *failure_](Talk& talk) { talk.told_failed(why); });
        return end("spark_failed", 13);
    }
    ready_ = true;
    if (cluster && cluster->status(cluster_ticket)) {
        cluster->bring_context_up(cluster_ticket,
                                  "fake-session-" + std::to_string(request.id.value));
    }
    say_ready();
    if (waiting_.empty()) {
        say([](Talk& talk) { talk.told_idle(); });
    }
}

void Driver::begin(StatementId id) {
    running_ = id;
    auto& statement = statements_.at(id);
    statement.begun = true;
    ++world_.runs[{request.id, statement.spec.code}];
    say([id](Talk& talk) { talk.told_busy(id); });
    for (const auto& chunk : statement.script.output) {
        write(chunk);
    }
}

/// Of one that runs. Does not begin the next.
void Driver::conclude(StatementId id, StatementResult result) {
    auto& statement = statements_.at(id);
    statement.result = std::move(result);
    running_.reset();
    say_result(id, *statement.result);
    if (waiting_.empty() && !end_) {
        say([](Talk& talk) { talk.told_idle(); });
    }
}

void Driver::cancel_waiting(StatementId id) {
    auto& statement = statements_.at(id);
    std::erase(waiting_, id);
    statement.result = cancelled_result("KeyboardInterrupt", "cancelled before it ran");
    say_result(id, *statement.result);
}

void Driver::interrupt(const InterruptRequest& asked) {
    const auto found = statements_.find(asked.statement);
    if (found == statements_.end()) {
        unwanted_ = asked.statement;  // to be cancelled when it comes
        return;
    }
    if (found->second.result) {
        return;
    }
    auto& [id, statement] = *found;
    if (!statement.begun) {
        return cancel_waiting(id);
    }
    if (!statement.script.swallows_interrupts) {
        conclude(id, cancelled_result("KeyboardInterrupt", ""));
        return advance();
    }
    ++statement.unheeded;
    say([id = id, count = statement.unheeded](Talk& talk) { talk.told_unheeded(id, count); });
    if (asked.end_session_after) {
        statement.has_deadline = true;
        if (asked.end_session_after->count() <= 0) {
            pass_deadline();
        }
    }
}

void Driver::pass_deadline() {
    if (running_ && statements_.at(*running_).has_deadline) {
        end("interrupt_unheeded", 15);
    }
}

void Driver::settle(StatementId id) {
    const auto found = statements_.find(id);
    if (found != statements_.end()) {
        found->second.settled = true;
        found->second.output.clear();
    }
}

void Driver::settle_session(bool ready_told, bool end_told) {
    ready_settled_ = ready_settled_ || ready_told;
    end_settled_ = end_settled_ || end_told;
}

void Driver::complete(std::int64_t number, const Conversation::CompletionRequest& asked) {
    const auto before = asked.code.substr(0, asked.cursor);
    auto begin_of_word = before.size();
    while (begin_of_word > 0 &&
           std::isalnum(static_cast<unsigned char>(before[begin_of_word - 1])) != 0) {
        --begin_of_word;
    }
    const auto stem = before.substr(begin_of_word);
    Completion completion;
    completion.replaces = stem.size();
    for (const auto& word : world_.words) {
        if (word.starts_with(stem)) {
            completion.candidates.push_back(word);
        }
    }
    say([number, completion](Talk& talk) { talk.told_completion(number, completion); });
}

void Driver::add(std::int64_t number, const SessionFile& file) {
    auto& [error, count] = world_.failures["add"];
    Result<void> added = ok();
    if (count > 0) {
        --count;
        added = error;
    } else {
        files.push_back(file);
    }
    say([number, added](Talk& talk) { talk.told_added(number, added); });
}

void Driver::write(OutputChunk chunk) {
    if (!running_) {
        talk_.expired() ? strays_.push_back(std::move(chunk))
                        : say([chunk](Talk& talk) { talk.told_stray(chunk); });
        return;
    }
    auto& statement = statements_.at(*running_);
    if (!statement.settled) {
        statement.output.push_back(chunk);
    }
    say_output(*running_, std::move(chunk));
}

Statement& Driver::what_runs() {
    if (!running_) {
        throw std::invalid_argument("session: no statement runs in session " +
                                    std::to_string(request.id.value));
    }
    return statements_.at(*running_);
}

void Driver::progress(double fraction) {
    say([id = what_runs().spec.id, fraction](Talk& talk) { talk.told_progress(id, fraction); });
}

void Driver::finish(StatementResult result) {
    conclude(what_runs().spec.id, std::move(result));
    advance();
}

void Driver::let_statement_go() {
    if (running_ && !statements_.at(*running_).script.endless) {
        finish(statements_.at(*running_).script.result);
    }
}

void Driver::end(std::string reason, int code) {
    if (end_ || exit_code) {
        return;
    }
    end_.emplace(SessionEnd{std::move(reason), {}});
    end_code_ = code;
    while (!waiting_.empty()) {
        cancel_waiting(StatementId(waiting_.front()));
    }
    if (running_) {
        const bool heeds = !statements_.at(*running_).script.swallows_interrupts;
        conclude(*running_, heeds ? cancelled_result("KeyboardInterrupt", "")
                                  : cancelled_result("SessionEnded",
                                                     "the session ended while the statement ran"));
    }
    say([end = *end_](Talk& talk) { talk.told_ended(end); });
    world_.notify();
}

void Driver::end_was_told() {
    end_told_ = true;
    let_exit_go();
}

void Driver::let_exit_go() {
    if (end_told_ && !world_.holds("exit")) {
        quit(end_code_, end_->reason);
    }
}

void Driver::quit(int code, const std::string& reason) {
    if (exit_code) {
        return;
    }
    exit_code = code;
    leave();
    if (cluster && cluster->status(cluster_ticket)) {
        cluster->end(cluster_ticket, code == 0 ? Outcome::success : Outcome::failed, code, reason);
    }
    world_.notify();
}

}  // namespace sparkhost::detail::fake_agents
