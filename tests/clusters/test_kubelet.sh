#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tests of the test cluster's kubelet.
source "$(dirname -- "${BASH_SOURCE[0]}")/../../tools/lib.sh"
source "$root/tools/clusters_build.sh"
build_kubernetes
test_kubelet
