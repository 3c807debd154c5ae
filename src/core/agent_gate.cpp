// SPDX-License-Identifier: Apache-2.0

// Who may come in as the agent of a session, and what its driver is given so that it can.

#include "core/host_impl.hpp"
#include "core/secret.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost {

namespace agent_gate {

namespace fs = std::filesystem;

AgentVerdict refusal(AgentVerdict::Code code, std::string detail) {
    AgentVerdict verdict;
    verdict.code = code;
    verdict.detail = std::move(detail);
    return verdict;
}

Awaitable<AgentVerdict> judge(std::shared_ptr<HostImpl> host, AgentGreeting greeting) {
    if (!host) {
        co_return refusal(AgentVerdict::Code::later, "the host is gone");
    }
    co_return co_await host->judge(std::move(greeting));
}

/// Hands agents to the host, for as long as there is one: it is the host that listens.
class HostGate final : public AgentGate {
public:
    explicit HostGate(std::weak_ptr<HostImpl> host) : host_(std::move(host)) {}
    Awaitable<AgentVerdict> judge(AgentGreeting greeting) override {
        return agent_gate::judge(host_.lock(), std::move(greeting));
    }
    Awaitable<GuardVerdict> judge_guard(DriverClaim claim) override {
        return GuardDesk::judge(host_.lock(), std::move(claim));
    }
    void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) override {
        if (const auto host = host_.lock()) {
            host->agent_connected(greeting, std::move(connection));
        }
    }

private:
    std::weak_ptr<HostImpl> host_;
};

/// What a session's agent calls its ticket.
std::string claim_of(const ActiveApplication& session) {
    return "session-" + std::to_string(session.key.id) + "-1";
}

/// Durable before the ticket is: a driver may start as soon as that is. Blocking.
Result<void> write_secret(const std::string& path, const std::string& secret) {
    std::error_code ignored;
    fs::remove(path, ignored);  // of a try whose ticket never became durable
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = file >= 0;
    if (written) {
        const auto size = ::write(file, secret.data(), secret.size());
        written = size == static_cast<ssize_t>(secret.size()) && ::fsync(file) == 0;
        written = ::close(file) == 0 && written;
    }
    if (!written) {
        return Error(Errc::backend_failed,
                     "cannot write " + path + ": " +
                         std::error_code(errno, std::generic_category()).message());
    }
    return ok();
}

}  // namespace agent_gate

Result<void> HostImpl::listen_for_agents() {
    namespace fs = std::filesystem;
    try {
        const fs::path folder(options.agent_folder);
        for (const auto& each : {folder, folder / "claims"}) {
            if (fs::create_directories(each)) {
                fs::permissions(each, fs::perms::owner_all);
            }
        }
        doors = std::make_unique<detail::AgentDoors>(
            strand, options, std::make_shared<agent_gate::HostGate>(weak_from_this()));
    } catch (const std::exception& problem) {
        return Error(Errc::backend_failed,
                     std::string("agents cannot be listened to: ") + problem.what() +
                         "; choose another HostOptions::agent_address or agent_folder");
    }
    return ok();
}

boost::asio::awaitable<Result<AgentVerdict>> HostImpl::judge(AgentGreeting greeting) {
    using Code = AgentVerdict::Code;
    if (stage != Stage::ready || stop_requested || storage_suspect) {
        co_return agent_gate::refusal(Code::later, "the host is starting, stopping or recovering");
    }
    const TaskGuard guard(*this);
    const auto known = claims.find(greeting.ticket);
    const auto found = known == claims.end() ? active.end() : active.find(known->second);
    if (found == active.end()) {
        co_return agent_gate::refusal(Code::unknown, "no session has this ticket");
    }
    const ActivePtr session = found->second;
    const auto& part = session->session->part;
    const auto& hash = greeting.resumes ? part.resume_hash : part.secret_hash;
    if (!detail::is_secret(greeting.secret, hash)) {
        co_return agent_gate::refusal(Code::unknown, "the secret is not that of the ticket");
    }
    if (session->record.has_ended()) {
        co_return agent_gate::refusal(Code::ended, "the session has been ended");
    }
    if (session->record.kill_requested) {
        // the kill is on its way: an agent that ends before it would leave a dead session
        co_return agent_gate::refusal(Code::later, "the session is being ended");
    }
    if (!part.nonce.empty() && part.nonce != greeting.nonce) {
        co_return agent_gate::refusal(Code::claimed, "another process has claimed this ticket");
    }
    AgentVerdict verdict;
    verdict.code = Code::granted;
    if (greeting.resumes) {
        co_return verdict;
    }
    verdict.resume_key = detail::make_secret();
    ActiveApplication::Item item;
    item.at = clock->now();
    item.of_session.emplace();
    item.of_session->event = detail::SessionEvent::claimed;
    item.of_session->nonce = greeting.nonce;
    item.of_session->resume_hash = detail::hash_secret(verdict.resume_key);
    const auto resume_hash = item.of_session->resume_hash;
    auto claim = [&](std::function<void(Result<BatchRecord>)> done) {
        item.done = std::move(done);
        observe(session, std::move(item));
    };
    auto claimed = co_await detail::await_callback<Result<BatchRecord>>(std::move(claim));
    if (!claimed) {
        co_return agent_gate::refusal(Code::later, claimed.error().text());
    }
    if (session->session->part.resume_hash != resume_hash) {  // something else came first
        const auto code = session->record.has_ended()      ? Code::ended
                          : session->record.kill_requested ? Code::later
                                                           : Code::claimed;
        co_return agent_gate::refusal(code, "the session was ended or claimed meanwhile");
    }
    co_return verdict;
}

std::string HostImpl::claim_file(const ActiveApplication& session) const {
    namespace fs = std::filesystem;
    return (fs::absolute(options.agent_folder) / "claims" /
            (std::to_string(session.key.id) + ".claim"))
        .string();
}

/// What to launch; `prepared` gets what is to be stored with the ticket.
boost::asio::awaitable<Result<SubmitRequest>> HostImpl::prepare_session(
    ActivePtr session, detail::SessionObservation& prepared) {
    const SessionLife& life = *session->session;
    if (life.runtime >= runtimes.size()) {
        co_return Error(Errc::backend_failed,
                        "this host has no runtime '" + life.part.runtime + "'");
    }
    auto runtime = runtimes[life.runtime];
    const auto secret = detail::make_secret();
    SessionRuntime::SessionRequest request;
    request.store_uuid = store_uuid;
    request.id = SessionId{session->key.id};
    request.session = life.part.spec;
    request.ticket = agent_gate::claim_of(*session);
    request.claim_file = claim_file(*session);
    const auto& backend = traits[session->backend];
    auto address = doors ? doors->address_for(backend) : Errc::stopped;
    if (!address) {
        co_return address.error();
    }
    request.agent_endpoint = std::move(*address);
    request.shares_files = backend.shares_files;
    prepared.event = detail::SessionEvent::prepared;
    prepared.claim = request.ticket;
    prepared.secret_hash = detail::hash_secret(secret);
    auto write = [path = request.claim_file, secret] {
        return agent_gate::write_secret(path, secret);
    };
    auto written = co_await detail::run_blocking(blocking, std::move(write));
    if (!written) {
        co_return written.error();
    }
    auto call = [&] { return runtime->prepare(std::move(request)); };
    auto launch = co_await guarded<SubmitRequest>(call, Errc::backend_failed);
    if (launch) {
        prepared.driver_files = launch->driver_files;
    }
    co_return launch;
}

/// It has been claimed, or never will be; and no submit that is repeated needs it.
void HostImpl::remove_claim_file(const ActivePtr& session) {
    auto remove = [path = claim_file(*session)]() -> Result<void> {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        return ok();
    };
    auto task = [](std::shared_ptr<HostImpl> host,
                   decltype(remove) work) -> boost::asio::awaitable<void> {
        auto removed = co_await detail::run_blocking(host->blocking, std::move(work));
        (void)removed;
    };
    spawn(task(shared_from_this(), std::move(remove)));
}

boost::asio::awaitable<Result<void>> HostImpl::release_session(ActivePtr session) {
    const SessionLife& life = *session->session;
    remove_claim_file(session);
    auto removed = co_await remove_files(session);
    if (!removed || life.runtime >= runtimes.size()) {
        co_return removed;
    }
    auto runtime = runtimes[life.runtime];
    SessionRuntime::ReleaseRequest request;
    request.ticket = agent_gate::claim_of(*session);  // also where it never became durable
    auto call = [&] { return runtime->release(std::move(request)); };
    co_return co_await guarded<void>(call, Errc::backend_failed);
}

}  // namespace sparkhost
