// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_CORE_GUARD_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_CORE_GUARD_FIXTURE_HPP

#include "host_fixture.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/testing/backend_wrapper.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::host_test {

using GuardSocket = asio::generic::stream_protocol::socket;

/// What the drivers of a fake cluster have been answered, and have said.
struct ToldJudge final : ClaimJudge {
    Awaitable<ClaimAnswer> claim(DriverClaim driver) override {
        claims.push_back(driver);
        if (throws) {
            throw std::runtime_error("the judge is broken");
        }
        return decide(this, std::move(driver), gate);
    }
    void reported(DriverReport report) override {
        reports.push_back(std::move(report));
        if (throws) {
            throw std::runtime_error("the judge is broken");
        }
    }
    void guard_gone(std::string ticket) override { gone.push_back(std::move(ticket)); }

    /// The first nonce of a known ticket is granted, unless told otherwise.
    static Awaitable<ClaimAnswer> decide(ToldJudge* self, DriverClaim driver,
                                         std::shared_ptr<asio::steady_timer> held) {
        if (held) {
            boost::system::error_code woken;
            co_await held->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        if (self->fails) {
            co_return Error(Errc::rejected, "no room on the disk");
        }
        ClaimAnswer answer;
        const auto found = self->secrets.find(driver.ticket);
        if (found == self->secrets.end() || found->second != driver.secret) {
            answer.detail = "no such ticket here";
        } else if (self->told) {
            answer = *self->told;
        } else if (self->granted.emplace(driver.ticket, driver.nonce).first->second ==
                   driver.nonce) {
            answer.code = ClaimAnswer::Code::granted;
            answer.files = {{"x.py", "print(1)\n"}};
        } else {
            answer.code = ClaimAnswer::Code::claimed;
        }
        co_return answer;
    }

    std::map<std::string, std::string> secrets{};
    std::map<std::string, std::string> granted{};  ///< nonces, by ticket
    std::optional<ClaimAnswer> told{};
    bool fails{false};
    bool throws{false};
    std::shared_ptr<asio::steady_timer> gate{};  ///< claims wait until it is cancelled
    std::vector<DriverClaim> claims{};
    std::vector<DriverReport> reports{};
    std::vector<std::string> gone{};
};
using ToldJudgePtr = std::shared_ptr<ToldJudge>;

/// A fake backend whose drivers have guards.
class GuardedBackend final : public testing::BackendWrapper {
public:
    GuardedBackend(std::unique_ptr<Backend> inner, ToldJudgePtr judge, BackendContext& seen)
        : BackendWrapper(std::move(inner)), judge_(std::move(judge)), seen_(seen) {}
    Awaitable<void> open(BackendContext context) override {
        seen_ = context;
        seen_.blocking_executor = {};
        if (context.take_claims && judge_) {
            context.take_claims(judge_);
        }
        return BackendWrapper::open(std::move(context));
    }

private:
    ToldJudgePtr judge_;
    BackendContext& seen_;
};

/// A host with two guarded backends; the second's drivers run elsewhere.
struct GuardFixture : HostFixture {
    test::TempDir dir;
    ToldJudgePtr near{std::make_shared<ToldJudge>()};
    ToldJudgePtr far{std::make_shared<ToldJudge>()};
    BackendContext near_context{};
    BackendContext far_context{};
    const std::string nonce{std::string(32, 'a')};
    const std::string other_nonce{std::string(32, 'b')};

    GuardFixture() {
        backend_names.clear();
        options.agent_folder = (dir / "agents").string();
        options.agent_address = "tcp:127.0.0.1:0";
        near->secrets["near-1"] = "one";
        far->secrets["far-1"] = "two";
        add_plugins = [this](HostPlugins& plugins) {
            plugins.backends.push_back(std::make_unique<GuardedBackend>(
                testing::make_fake_backend(cluster, {.name = "near"}), near, near_context));
            plugins.backends.push_back(std::make_unique<GuardedBackend>(
                testing::make_fake_backend(cluster, {.name = "far", .shares_files = false}), far,
                far_context));
        };
    }
    ~GuardFixture() {
        near_context = {};
        far_context = {};
    }

    GuardSocket dial(const std::string& address) {
        GuardSocket socket(io());
        if (address.starts_with("unix:")) {
            socket.connect(asio::local::stream_protocol::endpoint(address.substr(5)));
        } else {
            const auto port = std::stoi(address.substr(address.rfind(':') + 1));
            socket.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(),
                                                   static_cast<std::uint16_t>(port)));
        }
        settle();
        return socket;
    }
    GuardSocket dial() { return dial(far_context.agent_address); }

    static std::string greeting(const std::string& ticket, const std::string& secret,
                                const std::string& nonce) {
        return R"({"type":"guard","versions":[1],"ticket":")" + ticket + R"(","secret":")" +
               secret + R"(","nonce":")" + nonce + R"(","driver":"driver-1","pid":7})";
    }
    std::string greeting() const { return greeting("far-1", "two", nonce); }

    void say(GuardSocket& socket, const std::string& line) {
        const auto bytes = line + "\n";
        test::run_on(io(), [&]() -> asio::awaitable<void> {
            boost::system::error_code ignored;  // the host may have closed it
            co_await asio::async_write(socket, asio::buffer(bytes),
                                       asio::redirect_error(asio::use_awaitable, ignored));
        });
        settle();
    }
    /// The next line without its end, or "" at the end of the connection.
    std::string hear(GuardSocket& socket) {
        const auto line = test::run_on(io(), [&]() -> asio::awaitable<std::string> {
            std::string buffer;
            boost::system::error_code ended;
            const auto size =
                co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                                asio::redirect_error(asio::use_awaitable, ended));
            co_return ended ? std::string() : buffer.substr(0, size - 1);
        });
        settle();
        return line;
    }
    /// A pong says that what was said before has been acted on.
    bool answers(GuardSocket& socket) {
        say(socket, R"({"type":"ping","id":1})");
        return hear(socket) == R"({"type":"pong","id":1})";
    }
    /// The code of the refusal; "granted".
    std::string claim(GuardSocket& socket, const std::string& line) {
        say(socket, line);
        return code_of(hear(socket));
    }
    static std::string code_of(const std::string& line) {
        if (line.find(R"("type":"grant")") != std::string::npos) {
            return "granted";
        }
        const std::string mark = R"("code":")";
        const auto begin = line.find(mark);
        if (begin == std::string::npos) {
            return line;
        }
        const auto word = line.substr(begin + mark.size());
        return word.substr(0, word.find('"'));
    }
    bool was_logged(const std::string& words) const {
        for (const auto& line : logged) {
            if (line.find(words) != std::string::npos) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace sparkhost::host_test

#endif
