// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_GUARD_DESK_HPP
#define SPARKHOST_SRC_CORE_GUARD_DESK_HPP

#include <sparkhost/agent_endpoint.hpp>
#include <sparkhost/backend.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace sparkhost {

class HostImpl;

/// Where the guards of drivers claim their tickets, and report afterwards (docs/agent_protocol.md,
/// "Guards"). The backends decide; this knows who is asked, and the newest connection of each
/// ticket. Part of a host; belongs to its strand.
class GuardDesk {
public:
    using JudgePtr = std::shared_ptr<ClaimJudge>;

    /// From now on this backend's drivers are judged so, for as long as the judge lives.
    void take_judge(std::size_t backend, std::weak_ptr<ClaimJudge> judge);

    /// Asks the backends in their order until one knows the ticket. `host` may be gone.
    static Awaitable<GuardVerdict> judge(std::shared_ptr<HostImpl> host, DriverClaim claim);

private:
    struct Guard {
        std::uint64_t connection{0};
        std::shared_ptr<boost::asio::cancellation_signal> leave{};
    };
    /// Whose guard it is, and who is told what it says.
    struct Visit {
        std::string ticket{};
        std::string driver{};
        std::weak_ptr<ClaimJudge> judge{};
        std::uint64_t connection{0};
    };
    class Listener;

    static Awaitable<GuardVerdict> ask(std::shared_ptr<HostImpl> host, DriverClaim claim);
    static void admit(const std::shared_ptr<HostImpl>& host, Visit visit,
                      std::unique_ptr<AgentConnection> connection);
    static boost::asio::awaitable<void> listen(std::shared_ptr<HostImpl> host, Visit visit,
                                               std::shared_ptr<AgentConnection> connection);

    std::vector<JudgePtr> judges() const;
    bool is_newest(const Visit& visit) const;

    std::vector<std::weak_ptr<ClaimJudge>> judges_{};  ///< by backend
    std::unordered_map<std::string, Guard> guards_{};  ///< by ticket
};

}  // namespace sparkhost

#endif
