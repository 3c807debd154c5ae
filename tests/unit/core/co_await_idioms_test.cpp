// SPDX-License-Identifier: Apache-2.0
#include "support/run.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

// g++ 12 destroys some temporaries of a co_await expression twice. These are the forms that the
// house uses instead; under AddressSanitizer a compiler that breaks one of them is found out.

namespace sparkhost::test {

namespace idioms {

namespace asio = boost::asio;

struct Parts {
    std::shared_ptr<std::string> first{};
    std::string second{};
    std::vector<std::string> third{};
};

asio::awaitable<std::size_t> take(Parts parts) {
    co_await asio::post(asio::use_awaitable);
    co_return parts.first->size() + parts.second.size() + parts.third.size();
}

template <class Call>
asio::awaitable<std::size_t> call_it(Call call) {
    co_return co_await call();
}

const std::string long_text(100, 'x');

}  // namespace idioms

BOOST_AUTO_TEST_SUITE(co_await_idioms)

BOOST_AUTO_TEST_CASE(an_aggregate_is_named_first_and_moved_in) {
    auto text = std::make_shared<std::string>(idioms::long_text);
    const auto size = run([&]() -> boost::asio::awaitable<std::size_t> {
        idioms::Parts parts{text, idioms::long_text, {idioms::long_text, "b"}};
        co_return co_await idioms::take(std::move(parts));
    });
    BOOST_TEST(size == 202u);
    BOOST_TEST(text.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_lambda_is_named_first_and_passed_by_name) {
    auto text = std::make_shared<std::string>(idioms::long_text);
    const auto size = run([&]() -> boost::asio::awaitable<std::size_t> {
        idioms::Parts parts{text, idioms::long_text, {}};
        auto call = [&] { return idioms::take(std::move(parts)); };
        co_return co_await idioms::call_it(call);
    });
    BOOST_TEST(size == 200u);
    BOOST_TEST(text.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_choice_is_made_before_the_wait) {
    auto text = std::make_shared<std::string>(idioms::long_text);
    for (const bool longer : {false, true}) {
        const auto size = run([&]() -> boost::asio::awaitable<std::size_t> {
            idioms::Parts parts{text, {}, {}};
            if (longer) {
                parts.second = idioms::long_text;
            }
            co_return co_await idioms::take(std::move(parts));
        });
        BOOST_TEST(size == (longer ? 200u : 100u));
    }
    BOOST_TEST(text.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_nothing_behind) {
    auto text = std::make_shared<std::string>(idioms::long_text);
    auto call = [&]() -> boost::asio::awaitable<std::size_t> {
        idioms::Parts parts{text, {}, {}};
        parts.second = std::to_string(co_await idioms::take(parts));
        throw std::runtime_error(parts.second);
    };
    BOOST_CHECK_THROW(run(call), std::runtime_error);
    BOOST_TEST(text.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
