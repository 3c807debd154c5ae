// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_FAKE_CLAIM_DESK_HPP
#define SPARKHOST_TESTING_FAKE_CLAIM_DESK_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sparkhost::testing {

/// What a backend whose drivers claim their tickets needs of a host, without one: gives it an
/// address and takes its judge, and lets a test claim and report as the guard of a driver would.
/// It outlives the backends that it serves, one after the other, as hosts that start again.
///
/// Thread safety: safe; the judge is called on the executor that open() was called on.
class FakeClaimDesk {
public:
    /// The address is only told, nobody listens there.
    explicit FakeClaimDesk(std::string agent_address = "tcp:127.0.0.1:1");

    /// The same backend; what it is opened with has claims that come here, until it is destroyed.
    std::unique_ptr<Backend> wrap(std::shared_ptr<Backend> backend);

    /// For a backend that is opened without wrap(): sets agent_address and take_claims. `strand` is
    /// what open() will be called on; let_go() before that goes away.
    void fill(BackendContext& context, boost::asio::any_io_executor strand);
    void let_go();

    /// As a host would answer: `later` while there is no judge, and where judging failed.
    Awaitable<ClaimAnswer> claim(DriverClaim claim);
    /// Without a judge nobody hears it: a guard says it again to the next host.
    void report(DriverReport report);
    void leave(std::string ticket);  ///< the guard's connection ends

    bool has_judge() const;
    std::size_t claims() const;   ///< so far, whatever they were answered
    std::size_t granted() const;  ///< answers

    /// 32 hex digits, another for each number.
    static std::string nonce(std::uint64_t number);

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace sparkhost::testing

#endif
