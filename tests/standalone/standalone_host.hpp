// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_STANDALONE_STANDALONE_HOST_HPP
#define SPARKHOST_TESTS_STANDALONE_STANDALONE_HOST_HPP

#include "standalone/standalone_fixture.hpp"
#include "support/fake_cluster/host_rig.hpp"

namespace sparkhost::test::alone {

using StandaloneHost = HostRig<FakeStandalone>;

}  // namespace sparkhost::test::alone

#endif
