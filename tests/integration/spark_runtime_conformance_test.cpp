// SPDX-License-Identifier: Apache-2.0

// The Spark runtime in real drivers, launched by the local backend, against the conformance kit.

#include "integration/real_harness.hpp"

#include <sparkhost/runtimes/spark.hpp>
#include <sparkhost/testing/runtime_conformance.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

namespace {

class SparkRuntimeFixture final : public testing::RuntimeFixture {
public:
    explicit SparkRuntimeFixture(const RealSpark& spark) : harness_(spark) {}

    std::unique_ptr<SessionRuntime> make(asio::any_io_executor) override {
        SparkRuntimeOptions options;
        options.work_dir = (harness_.dir / "agents").string();
        options.blocking_executor = harness_.pool.get_executor();
        return make_spark_runtime(std::move(options));
    }
    asio::awaitable<void> launch(SubmitRequest request) override {
        if (!backend_) {
            backend_ = co_await harness_.open();
            watch_ = std::make_unique<RunningWatch>(*backend_, co_await asio::this_coro::executor);
        }
        tickets_.push_back(co_await test::launch(*backend_, std::move(request)));
    }
    asio::awaitable<void> end_all() override {
        for (const auto& ticket : tickets_) {
            auto killed = co_await backend_->kill(ticket);
            require_ok(killed);
            co_await watch_->sink->end(ticket.id);
        }
        if (watch_) {
            co_await watch_->stop();
        }
        backend_.reset();
    }
    std::string kind() override { return "pyspark"; }
    std::string code(Program program, std::string mark) override {
        static const char* const bodies[] = {
            "1+1",
            "import sys\nprint('one')\nprint('three', file=sys.stderr)\nprint('two')",
            "1/0",
            "while True: pass",
            "print('begun', flush=True)\nwhile True: pass",
            "pri"};
        const std::string body = bodies[static_cast<int>(program)];
        return program == Program::completable
                   ? body
                   : "_ = open('" + file(mark) + "', 'a').write('ran\\n')\n" + body;
    }
    std::size_t runs(std::string mark) override {
        const auto lines = read_text(file(mark));
        return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    }

private:
    std::string file(const std::string& mark) const {
        return (harness_.dir / ("mark-" + mark)).string();
    }

    RealHarness harness_;
    std::unique_ptr<Backend> backend_{};
    std::unique_ptr<RunningWatch> watch_{};
    std::vector<Ticket> tickets_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(spark_runtime_conformance)

BOOST_DATA_TEST_CASE(the_spark_runtime_conforms, boost::unit_test::data::make(all_sparks), spark) {
    SparkRuntimeFixture fixture(spark);
    testing::RuntimeConformanceOptions options;
    options.patience = spark_patience;
    try {
        testing::run_runtime_cases(testing::runtime_conformance_cases(options), fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
