// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/serve_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

/// No new descriptor can be opened while it lives, but those that get free can be used again.
class NoMoreDescriptors {
public:
    NoMoreDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest_free = ::dup(STDERR_FILENO);
        ::close(lowest_free);
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(lowest_free);
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_serve_descriptors, ServeFixture)

BOOST_AUTO_TEST_CASE(without_descriptors_a_client_waits_until_another_leaves) {
    ServeFixture::start();
    auto first = connected();
    first.ask(get_line("/batches"));
    Client second(io());
    // judged afterwards: a sanitizer needs descriptors of its own to look at what is checked
    std::size_t complaints_at_rest = 0;
    unsigned status = 0;
    const auto begin = std::chrono::steady_clock::now();
    {
        const NoMoreDescriptors none;
        second.connect(endpoint);
        second.say(get_line("/batches"));
        until([this] { return !complaints.empty(); });
        settle();
        complaints_at_rest = complaints.size();
        first.close();
        status = second.hear().result_int();
    }
    BOOST_TEST(complaints.front().starts_with("a connection could not be accepted: "));
    // it tries again once in a second, and this may have taken longer
    const auto seconds = (std::chrono::steady_clock::now() - begin) / 1s;
    BOOST_TEST(complaints_at_rest <= 1u + static_cast<std::size_t>(seconds), "it spins");
    BOOST_TEST(status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
