// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_gate.hpp"

namespace sparkhost::testing::runtime_cases {

namespace {

/// A connection that can be cut while its conversation goes on.
class SharedConnection final : public AgentConnection {
public:
    explicit SharedConnection(std::shared_ptr<AgentConnection> inner) : inner_(std::move(inner)) {}
    ~SharedConnection() override { inner_->close(); }
    Awaitable<std::string> read_some(std::size_t limit) override {
        return inner_->read_some(limit);
    }
    Awaitable<void> write(std::string bytes) override { return inner_->write(std::move(bytes)); }
    void close() override { inner_->close(); }

private:
    std::shared_ptr<AgentConnection> inner_;
};

}  // namespace

Awaitable<AgentVerdict> Gate::judge(AgentGreeting greeting) {
    auto verdict = decide(greeting);
    const bool may_come =
        verdict.code == AgentVerdict::Code::granted || verdict.code == AgentVerdict::Code::ended;
    if (!may_come) {
        refused.push_back("an agent came that must be refused: " + verdict.detail);
    }
    changed_();
    return say(std::move(verdict));
}

AgentVerdict Gate::decide(const AgentGreeting& greeting) {
    AgentVerdict verdict;
    const auto found = tickets_.find(greeting.ticket);
    if (found == tickets_.end()) {
        verdict.code = AgentVerdict::Code::ended;
        verdict.detail = "nobody waits for the ticket '" + greeting.ticket + "'";
        return verdict;
    }
    auto& known = found->second;
    known.greetings.push_back(greeting);
    if (!known.nonce.empty() && known.nonce != greeting.nonce) {
        verdict.code = AgentVerdict::Code::claimed;
        verdict.detail = "another nonce has claimed the ticket";
    } else if (greeting.resumes ? known.key.empty() || greeting.secret != known.key
                                : greeting.secret != known.secret) {
        verdict.detail = greeting.resumes ? "its resume key is wrong" : "its secret is wrong";
    } else {
        known.nonce = greeting.nonce;
        known.key = "key-of-" + known.secret;
        verdict.code = AgentVerdict::Code::granted;
        verdict.resume_key = known.key;
    }
    return verdict;
}

void Gate::admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) {
    const auto found = tickets_.find(greeting.ticket);
    if (found != tickets_.end()) {
        found->second.waiting = std::move(connection);
        found->second.hello = greeting.hello;
    }
    changed_();
}

void Gate::expect_ticket(const std::string& ticket, std::string secret) {
    tickets_[ticket].secret = std::move(secret);
}

SessionRuntime::AttachRequest Gate::take(const std::string& ticket) {
    auto& known = tickets_.at(ticket);
    known.attached = std::move(known.waiting);
    SessionRuntime::AttachRequest request;
    request.connection = std::make_unique<SharedConnection>(known.attached);
    request.hello = known.hello;
    return request;
}

void Gate::cut(const std::string& ticket) {
    if (const auto& attached = tickets_.at(ticket).attached) {
        attached->close();
    }
}

}  // namespace sparkhost::testing::runtime_cases
