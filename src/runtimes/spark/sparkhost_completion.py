# SPDX-License-Identifier: Apache-2.0
"""Words that continue Python code: with jedi where it is installed."""

import re
import rlcompleter

MOST = 200


def complete_python(before, names):
    """(candidates, how many characters before the cursor each of them replaces). Only the last
    word of a dotted name is completed: `show` for `df.sho`."""
    word = re.search(r"[\w.]*$", before).group()
    if not word:
        return [], 0
    begun = word.rpartition(".")[2]
    found = _with_jedi(before, names)
    if found is None:
        found = _with_rlcompleter(word, names)
    return sorted({one for one in found if one.startswith(begun)})[:MOST], len(begun)


def _with_jedi(before, names):
    """None where jedi cannot say."""
    try:
        import jedi
    except Exception:  # one that is broken is as good as none
        return None

    class Reader(jedi.Interpreter):
        _allow_descriptor_getattr_default = False  # looks and runs nothing

    jedi.settings.allow_unsafe_interpreter_executions = False
    try:
        return [one.name for one in Reader(before, [names]).complete()]
    except Exception:  # it has its limits
        return None


def _with_rlcompleter(word, names):
    completer, found = rlcompleter.Completer(names), []
    while len(found) < MOST:
        candidate = completer.complete(word, len(found))
        if candidate is None:
            break
        found.append(candidate)
    return [one.rstrip("():, ").rpartition(".")[2] for one in found]
