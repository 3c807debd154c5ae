// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_CONTROL_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_CONTROL_HPP

#include "support/fake_kubernetes/fake_kubernetes.hpp"

#include <string>

namespace sparkhost::test::k8s {

/// Performs one line of the control protocol (see main.cpp) and gives the answer's line.
std::string control(FakeKubernetes& fake, const std::string& line);

}  // namespace sparkhost::test::k8s

#endif
