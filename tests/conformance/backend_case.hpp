// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CONFORMANCE_BACKEND_CASE_HPP
#define SPARKHOST_TESTS_CONFORMANCE_BACKEND_CASE_HPP

#include <sparkhost/testing/backend_conformance.hpp>

#include <ostream>

namespace sparkhost::testing {

/// How a data test calls its case.
inline std::ostream& operator<<(std::ostream& out, const BackendCase& backend_case) {
    return out << backend_case.name;
}

}  // namespace sparkhost::testing

#endif
