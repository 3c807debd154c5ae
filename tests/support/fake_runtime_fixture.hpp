// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_RUNTIME_FIXTURE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_RUNTIME_FIXTURE_HPP

#include <sparkhost/testing/fake_runtime.hpp>
#include <sparkhost/testing/runtime_conformance.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test {

/// The fake runtime, perhaps behind another one, and its agents.
class FakeRuntimeFixture : public testing::RuntimeFixture {
public:
    using Wrap =
        std::function<std::unique_ptr<SessionRuntime>(std::unique_ptr<SessionRuntime> inner)>;

    explicit FakeRuntimeFixture(Wrap wrap = {}) : wrap_(std::move(wrap)) {}

    std::unique_ptr<SessionRuntime> make(boost::asio::any_io_executor executor) override {
        testing::FakeAgentsOptions options;
        options.redials_by_itself = true;
        agents_ = std::make_shared<testing::FakeAgents>(std::move(executor), options);
        auto made = testing::make_fake_runtime(agents_);
        return wrap_ ? wrap_(std::move(made)) : std::move(made);
    }
    boost::asio::awaitable<void> launch(SubmitRequest request) override {
        const SessionId session{std::stoll(request.subject.substr(std::string("session-").size()))};
        ++launched_;
        agents_->start(session);
        co_return;
    }
    boost::asio::awaitable<void> end_all() override {
        agents_.reset();
        co_return;
    }
    std::string kind() override { return "pyspark"; }
    std::string code(Program program, std::string mark) override {
        if (program == Program::completable) {
            return "spa";
        }
        auto text = "program " + std::to_string(static_cast<int>(program)) + " " + mark;
        agents_->answer(text, script(program));
        codes_[mark] = text;
        return text;
    }
    std::size_t runs(std::string mark) override {
        std::size_t total = 0;
        for (std::int64_t session = 0; session < 1000; ++session) {
            total += agents_->runs(SessionId{session}, codes_[mark]);
        }
        return total;
    }
    std::size_t launched() const { return launched_; }
    testing::FakeAgents& agents() { return *agents_; }

private:
    static testing::FakeStatement script(Program program) {
        testing::FakeStatement made;
        made.result.data["text/plain"] = "2";
        made.endless = program == Program::endless || program == Program::endless_after_line;
        if (program == Program::writes) {
            made.output = {{OutputStream::standard_output, "one\n"},
                           {OutputStream::standard_error, "three\n"},
                           {OutputStream::standard_output, "two\n"}};
        } else if (program == Program::endless_after_line) {
            made.output = {{OutputStream::standard_output, "begun\n"}};
        } else if (program == Program::fails) {
            made.result.outcome = StatementOutcome::error;
            made.result.data.clear();
            made.result.error_name = "ZeroDivisionError";
            made.result.traceback = {"line 1\n"};
        }
        return made;
    }

    Wrap wrap_;
    std::shared_ptr<testing::FakeAgents> agents_{};
    std::map<std::string, std::string> codes_{};
    std::size_t launched_{0};
};

}  // namespace sparkhost::test

#endif
