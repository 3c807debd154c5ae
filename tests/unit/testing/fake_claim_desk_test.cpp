// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/backend_wrapper.hpp>
#include <sparkhost/testing/fake_backend.hpp>
#include <sparkhost/testing/fake_claim_desk.hpp>

#include "support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::testing {

namespace claim_desk_test {

namespace asio = boost::asio;

struct OneTicketJudge final : ClaimJudge {
    Awaitable<ClaimAnswer> claim(DriverClaim claim) override { return decide(this, claim); }
    void reported(DriverReport report) override { said.push_back(report.application_id); }
    void guard_gone(std::string ticket) override { said.push_back("gone " + ticket); }
    static Awaitable<ClaimAnswer> decide(OneTicketJudge* self, DriverClaim claim) {
        if (claim.ticket == "throws") {
            throw std::runtime_error("thrown");
        }
        if (claim.ticket == "fails") {
            co_return Error(Errc::rejected, "no room");
        }
        self->on_strand = self->on_strand && self->strand->running_in_this_thread();
        ClaimAnswer answer;
        answer.code = ClaimAnswer::Code::granted;
        co_return answer;
    }
    asio::strand<asio::io_context::executor_type>* strand{nullptr};
    bool on_strand{true};
    std::vector<std::string> said{};
};

/// Takes claims as long as it lives.
class JudgingBackend final : public BackendWrapper {
public:
    JudgingBackend(std::shared_ptr<OneTicketJudge> judge, std::string& address)
        : BackendWrapper(make_fake_backend(std::make_shared<FakeCluster>())),
          judge_(std::move(judge)),
          address_(address) {}
    Awaitable<void> open(BackendContext context) override {
        address_ = context.agent_address;
        context.take_claims(judge_);
        return BackendWrapper::open(std::move(context));
    }

private:
    std::shared_ptr<OneTicketJudge> judge_;
    std::string& address_;
};

}  // namespace claim_desk_test

using namespace claim_desk_test;

BOOST_AUTO_TEST_SUITE(fake_claim_desk)

BOOST_AUTO_TEST_CASE(claims_and_reports_reach_the_judge_where_the_backend_was_opened) {
    asio::io_context io{1};
    auto strand = asio::make_strand(io);
    FakeClaimDesk desk("tcp:127.0.0.1:7");
    const auto answer_to = [&](std::string ticket) {
        DriverClaim claim;
        claim.ticket = std::move(ticket);
        claim.nonce = FakeClaimDesk::nonce(0x1f);
        return test::run_on(io, [&] { return desk.claim(claim); }).value();
    };
    BOOST_TEST((answer_to("t").code == ClaimAnswer::Code::later));
    BOOST_TEST(!desk.has_judge());
    std::string address;
    auto judge = std::make_shared<OneTicketJudge>();
    judge->strand = &strand;
    const std::weak_ptr<OneTicketJudge> watched = judge;
    auto backend = desk.wrap(std::make_shared<JudgingBackend>(judge, address));
    auto opened = asio::co_spawn(strand, backend->open({}), asio::use_future);
    io.restart();
    io.run();
    opened.get().value();
    BOOST_TEST(address == "tcp:127.0.0.1:7");
    BOOST_TEST(desk.has_judge());
    BOOST_TEST((answer_to("t").code == ClaimAnswer::Code::granted));
    BOOST_TEST(judge->on_strand);
    BOOST_TEST(answer_to("fails").detail == "no room");
    BOOST_TEST((answer_to("throws").code == ClaimAnswer::Code::later));
    DriverReport report;
    report.application_id = "app-1";
    desk.report(report);
    desk.leave("t");
    test::drain(io);
    const std::vector<std::string> said{"app-1", "gone t"};
    BOOST_TEST(judge->said == said, boost::test_tools::per_element());
    judge.reset();
    backend.reset();
    BOOST_TEST(watched.expired());
    BOOST_TEST((answer_to("t").code == ClaimAnswer::Code::later), "as from a host that starts");
    desk.report(report);
    BOOST_TEST(desk.claims() == 5u);
    BOOST_TEST(desk.granted() == 1u);
    test::drain(io);
}

BOOST_AUTO_TEST_CASE(nonces_are_32_hex_digits) {
    BOOST_TEST(FakeClaimDesk::nonce(0x1f) == "0000000000000000000000000000001f");
    BOOST_TEST(FakeClaimDesk::nonce(0) != FakeClaimDesk::nonce(1));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
