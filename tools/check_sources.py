#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what every source file has in common: the licence line, its length, include guards, no
tabs, no left-over notes, links that lead somewhere, executable bit of the commands.

Usage: check_sources.py [--self-test]
"""

import os
import re
import subprocess
import sys

import cpp_text

FOLDERS = ("include", "src", "tests", "examples", "benchmarks", "tools", "cmake", "docs", ".ci",
           "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CMakeLists.txt")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")  # to a file of ours
SUFFIXES = {".hpp", ".cpp", ".c", ".py", ".go", ".java", ".R", ".cmake", ".sh", ".txt", ".md", ".in", ""}
SKIPPED = ("tests/checks/samples/", "tests/fuzz/corpus/")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LONGEST = 400
LONGEST_TEST = 600
LONGER = {"src/runtimes/spark/sparkhost_agent.py": 1700}  # is shipped to drivers as one file
NOTES = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")


def guard(path):
    """SPARKHOST_REST_ROUTER_HPP for include/sparkhost/rest/router.hpp."""
    name = re.sub(r"^include/sparkhost/", "sparkhost/", path)
    name = re.sub(r"^(?!sparkhost/)", "sparkhost/", name)
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def faults(path, text, exists=lambda name: (cpp_text.ROOT / name).exists()):
    lines = text.splitlines()
    suffix = os.path.splitext(path)[1]
    is_cpp = suffix in (".hpp", ".cpp", ".c")
    is_code = is_cpp or suffix in (".py", ".go", ".java", ".R", ".cmake", ".sh") or path.endswith("CMakeLists.txt") or (
        suffix == "" and lines[:1] and lines[0].startswith("#!"))
    if is_code and not any(LICENCE in line for line in lines[:2]):
        yield 1, "no licence line"
    longest = LONGER.get(path, LONGEST_TEST if path.startswith("tests/") else LONGEST)
    if is_code and len(lines) > longest:
        yield len(lines), f"longer than {longest} lines: split it by responsibility"
    if path.endswith(".hpp") and f"#ifndef {guard(path)}\n#define {guard(path)}\n" not in text:
        yield 2, f"the include guard is not {guard(path)}"
    if text and not text.endswith("\n"):
        yield len(lines), "no line end at the end"
    for number, line in enumerate(lines, 1):
        if "\t" in line and is_code and suffix != ".go":  # gofmt has tabs
            yield number, "a tab"
        if line.rstrip() != line:
            yield number, "blanks at the end of the line"
        if suffix == ".md":
            for target in LINK.findall(line):
                if not exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
                    yield number, f"the link to {target} leads nowhere"
        if NOTES.search(line):
            yield number, "a left-over note: do it or open an issue"


def files():
    """What git knows or would add, below FOLDERS."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z", *FOLDERS],
                            cwd=cpp_text.ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
    else:  # an unpacked archive
        names = [str(path.relative_to(cpp_text.ROOT)) for folder in FOLDERS
                 for path in ((cpp_text.ROOT / folder).rglob("*") if (cpp_text.ROOT / folder).is_dir()
                              else [cpp_text.ROOT / folder]) if path.is_file()]
    for name in sorted(set(names)):
        if os.path.splitext(name)[1] in SUFFIXES and not name.startswith(SKIPPED) and (
                cpp_text.ROOT / name).is_file():
            yield name


def self_test():
    licence = f"// {LICENCE}\n"
    good = licence + "#ifndef SPARKHOST_A_HPP\n#define SPARKHOST_A_HPP\n#endif\n"
    samples = [
        ("include/sparkhost/a.hpp", good, 0),
        ("include/sparkhost/b.hpp", good, 1),
        ("src/a.cpp", "int a;\n", 1),
        ("src/a.cpp", licence + "\tint a;\n", 1),
        ("tests/a.go", licence + "\treturn\n", 0),
        ("tests/a.go", "package main\n", 1),
        ("src/a.cpp", licence + "int a; \n", 1),
        ("src/a.cpp", licence + "int a;", 1),
        ("src/a.cpp", licence + "// TO" + "DO: more\n", 1),
        ("src/a.cpp", licence + "int a;\n" * LONGEST, 1),
        ("tools/x", "#!/usr/bin/env bash\necho\n", 1),
        ("docs/a.md", "text\n", 0),
        ("docs/a.md", "[see](b.md#part) [out](https://example.org/c.md)\n", 0),
        ("docs/a.md", "[see](missing.md)\n", 1),
    ]
    wrong = 0
    for path, text, expected in samples:
        found = list(faults(path, text, {"docs/b.md"}.__contains__))
        if len(found) != expected:
            print(f"{path}: {text[:40]!r}: {expected} faults expected, found {found}")
            wrong += 1
    print(f"{len(samples)} samples, {wrong} wrong")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    count = seen = 0
    for path in files():
        seen += 1
        text = cpp_text.read(path)
        for line, what in faults(path, text):
            print(f"{path}:{line}: {what}")
            count += 1
        if text.startswith("#!") and not os.access(cpp_text.ROOT / path, os.X_OK):
            print(f"{path}:1: has a shebang but is not executable")
            count += 1
    print(f"{seen} files, {count} faults")
    return 1 if count or not seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
