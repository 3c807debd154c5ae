// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CONFORMANCE_RUNTIME_CASE_HPP
#define SPARKHOST_TESTS_CONFORMANCE_RUNTIME_CASE_HPP

#include <sparkhost/testing/runtime_conformance.hpp>

#include <ostream>

namespace sparkhost::testing {

/// How a data test calls its case.
inline std::ostream& operator<<(std::ostream& out, const RuntimeCase& runtime_case) {
    return out << runtime_case.name;
}

}  // namespace sparkhost::testing

#endif
