// SPDX-License-Identifier: Apache-2.0
#include "core/secret.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::detail {

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(a_secret_is_long_and_never_the_same) {
    const auto one = make_secret();
    BOOST_TEST(one.size() == 64u);
    BOOST_TEST(one.find_first_not_of("0123456789abcdef") == std::string::npos);
    BOOST_TEST(one != make_secret());
}

BOOST_AUTO_TEST_CASE(only_the_secret_itself_fits_its_hash) {
    // FIPS 180-2, example B.1
    BOOST_TEST(hash_secret("abc") ==
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(is_secret("abc", hash_secret("abc")));
    for (const char* wrong : {"", "ab", "abd", "abcd"}) {
        BOOST_TEST(!is_secret(wrong, hash_secret("abc")));
    }
    BOOST_TEST(!is_secret("", ""));  // nothing has been stored: nobody comes in
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
