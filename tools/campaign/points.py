# SPDX-License-Identifier: Apache-2.0
"""The crash points, as the sources have them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "tests" / "campaign" / "plugin_crash_points.cpp"
POINT = re.compile(r'SPARKHOST_CRASH_POINT\("([a-z_.]+)"\)')
OF_CLUSTERS = ("kubernetes.", "standalone.", "yarn.", "guarded.")  # passed on real clusters, by tests of their own
KINDS = re.compile(r"commit_kinds\{(.*?)\};", re.DOTALL)


def kinds_of_events():
    """Those whose commits have points."""
    return re.findall(r'"([a-z_.]+)"', KINDS.search(PLUGINS.read_text(encoding="utf-8"))[1])


def in_sources():
    """All names, sorted, but those of backends that the campaign does not run."""
    names = set()
    for path in [*(ROOT / "src").rglob("*.[ch]pp"), PLUGINS]:
        names.update(POINT.findall(path.read_text(encoding="utf-8")))
    names = {name for name in names if not name.startswith(OF_CLUSTERS)}
    for kind in kinds_of_events():
        names.update((f"commit.{kind}.before", f"commit.{kind}.after"))
    return sorted(names)
