// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_AGENT_DOORS_HPP
#define SPARKHOST_SRC_CORE_AGENT_DOORS_HPP

#include <sparkhost/agent_endpoint.hpp>
#include <sparkhost/backend.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/host.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <list>
#include <memory>
#include <string>

namespace sparkhost::detail {

/// Where the agents and guards of a host dial: a Unix socket for drivers on this machine, TCP for
/// others, one gate behind both. Listens from now on; its addresses are the same after a restart.
class AgentDoors {
public:
    /// Throws what AgentEndpoint throws, and std::runtime_error where the port cannot be kept.
    AgentDoors(boost::asio::any_io_executor executor, const HostOptions& options,
               const std::shared_ptr<AgentGate>& gate);

    /// What drivers of such a backend dial. Errors: not_supported – they would not get here.
    Result<std::string> address_for(const Backend::Traits& backend) const;

    std::list<AgentEndpoint>& endpoints() { return endpoints_; }
    /// Nobody is let in any more; the addresses stay known.
    void close() { endpoints_.clear(); }

private:
    std::list<AgentEndpoint> endpoints_;
    std::string near_;  ///< for drivers on this machine
    std::string far_;   ///< for drivers elsewhere; empty: there is none
};

/// "tcp:0.0.0.0:7": who listens on all addresses cannot be dialled by that.
bool is_any_address(const std::string& address);

/// Throws std::invalid_argument when HostOptions::agent_advertised breaks its rule.
void validate_advertised(const HostOptions& options);

}  // namespace sparkhost::detail

#endif
