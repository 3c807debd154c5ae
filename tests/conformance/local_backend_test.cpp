// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "unit/local/local_harness.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <exception>

namespace sparkhost::test {

namespace {

/// The real backend and supervisors, with a `java` that runs shell scripts.
class LocalFixture final : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        return make_local_backend(std::move(executor), harness_.options);
    }
    BatchSpec spec(Program program, std::string mark) override {
        static const char* const bodies[] = {"echo one; echo two; echo three\n", "exit 3\n",
                                             "while :; do sleep 1000; done\n"};
        const std::string script =
            "echo started >> $DIR/mark-" + mark + "\n" + bodies[static_cast<int>(program)];
        BatchSpec spec;
        spec.file = harness_.dir.write("apps/" + mark + ".sh", script).string();
        return spec;
    }
    std::size_t starts(std::string mark) override {
        const std::string lines = read_text(harness_.dir / ("mark-" + mark));
        return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    }

private:
    LocalHarness harness_;
};

testing::BackendConformanceOptions local_deviations() {
    testing::BackendConformanceOptions options;
    options.reports_context = false;     // scripts, not Spark
    options.keeps_stores_apart = false;  // work_dir belongs to one host
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(local_backend_conformance)

BOOST_DATA_TEST_CASE(
    the_local_backend_conforms,
    boost::unit_test::data::make(testing::backend_conformance_cases(local_deviations())), each) {
    LocalFixture fixture;
    try {
        testing::run_backend_case(each, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
