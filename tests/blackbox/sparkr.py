# SPDX-License-Identifier: Apache-2.0
"""SparkR for tests: the stand-in beside this file, installed, because the real one is in no
registry that tests can use. It talks to the real backend of the real Spark."""

import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).parent / "sparkr_standin"


def install(folder):
    """Into this folder, which is made. Gives it."""
    folder.mkdir()
    made = subprocess.run(["R", "CMD", "INSTALL", "--no-docs", "--no-test-load",
                           f"--library={folder}", str(SOURCE)], capture_output=True, text=True,
                          check=False)
    assert made.returncode == 0, made.stderr
    return folder
