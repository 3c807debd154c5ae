# SPDX-License-Identifier: Apache-2.0
"""Runs an example and compares what it prints with the "Expected output" of its header comment.

    check_example.py SOURCE PROGRAM [ARGUMENT]...

An argument ENV:NAME is the value of that environment variable; without it the check fails.
In the expected text … stands for any text, and a line of … alone for any lines.
The example works in an empty folder of its own, which is removed afterwards.
"""

import os
import re
import subprocess
import sys
import tempfile

DEADLINE = 280  # seconds


def expected_lines(source):
    lines = []
    inside = False
    with open(source, encoding="utf-8") as text:
        for line in text:
            if inside and not line.startswith("//   "):
                break
            if inside:
                lines.append(line.removeprefix("//   ").rstrip("\n"))
            inside = inside or line.startswith("// Expected output:")
    if not lines:
        sys.exit(f"{source} does not say what it prints")
    return lines


def pattern(lines):
    parts = []
    for line in lines:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(piece) for piece in line.split("…")) + r"\n")
    return re.compile("".join(parts))


def arguments_from(words):
    for word in words:
        if not word.startswith("ENV:"):
            yield word
            continue
        value = os.environ.get(word[4:])
        if not value:
            sys.exit(f"{word[4:]} is not set; tools/test sets what the examples need")
        yield value


def main():
    source, program = sys.argv[1:3]
    wanted = expected_lines(source)
    command = [os.path.abspath(program), *arguments_from(sys.argv[3:])]
    with tempfile.TemporaryDirectory(prefix="sparkhost-example-") as folder:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=DEADLINE, encoding="utf-8",
                              env={**os.environ, "BOOST_TEST_COLOR_OUTPUT": "no"})
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        sys.exit(f"ended with status {done.returncode}")
    # Boost.Test speaks on stderr
    if not any(pattern(wanted).fullmatch(text.lstrip("\n").rstrip("\n") + "\n")
               for text in (done.stdout, done.stdout + done.stderr)):
        sys.exit("this is not the output that the header comment promises:\n" + "\n".join(wanted))


if __name__ == "__main__":
    main()
