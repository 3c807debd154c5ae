// SPDX-License-Identifier: Apache-2.0
#define BOOST_TEST_DYN_LINK
#define BOOST_TEST_MODULE sparkhost
#include <boost/test/unit_test.hpp>

#ifdef __SANITIZE_ADDRESS__
// A hung test leaves its context behind on purpose; a leak must not hide its message.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif
