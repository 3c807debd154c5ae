// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_YARN_HOST_HPP
#define SPARKHOST_TESTS_YARN_YARN_HOST_HPP

#include "support/fake_cluster/host_rig.hpp"
#include "yarn/yarn_fixture.hpp"

namespace sparkhost::test::yarn {

using YarnHost = HostRig<FakeYarn>;

}  // namespace sparkhost::test::yarn

#endif
