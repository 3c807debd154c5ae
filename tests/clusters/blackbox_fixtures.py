# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the black-box tests, whose module is called conftest as are those that want it."""

import importlib.util
import pathlib
import sys

BLACKBOX = pathlib.Path(__file__).resolve().parents[1] / "blackbox"


def _load():
    sys.path.insert(0, str(BLACKBOX))
    spec = importlib.util.spec_from_file_location("blackbox", BLACKBOX / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


blackbox = _load()
