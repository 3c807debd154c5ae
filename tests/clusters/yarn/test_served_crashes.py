# SPDX-License-Identifier: Apache-2.0
"""The host ends by SIGKILL before and after each step of submit, claim, kill and release on a real
YARN cluster, and starts again: one run each, by the drivers' own evidence, and nothing left over. Only
the campaign's build has these points."""

import pytest

from dying_host import passages

OF_A_RUN = [
    "yarn.submit.id_known", "yarn.submit.staged", "yarn.submit.posts", "yarn.submit.answered",
    "yarn.submit.stored", "guarded.claim.asked", "guarded.claim.decided",
    "yarn.release.log_kept", "yarn.release.staging_gone", "yarn.release.folder_gone"]
OF_A_KILL = ["guarded.kill.taken", "yarn.kill.asks", "yarn.kill.answered"]


@pytest.mark.parametrize("point", OF_A_RUN)
def test_a_batch_runs_once_whenever_its_host_dies(started, folder, point):
    assert passages(started, folder, point, lambda life: life.run()) >= 1


@pytest.mark.parametrize("point", OF_A_KILL)
def test_a_kill_is_carried_out_whenever_its_host_dies(started, folder, gate, point):
    assert passages(started, folder, point, lambda life: life.kill(gate)) >= 1
