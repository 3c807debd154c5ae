# SPDX-License-Identifier: Apache-2.0
"""What tests of kind spark share: statements and what they show, and jars."""

import json
import re
import subprocess
import zipfile

from session import text
from spark_driver import PATIENCE


class Statements:
    """Runs code in the driver that several tests share."""

    def __init__(self, session):
        self.session, self.line = session, session.line

    def begin(self, code, kind="spark"):
        number = next(self.session.numbers)
        self.session.execute(number, code, kind)
        return number

    def run(self, code, kind="spark"):
        return self.session.result(self.begin(code, kind), PATIENCE)

    def shows(self, code, kind="spark"):
        """What a Livy client sees as text/plain, with the numbers of results counted from 0."""
        number = self.begin(code, kind)
        result = self.session.result(number, PATIENCE)
        assert result["status"] == "ok", result
        assert set(result["data"]) <= {"text/plain"}, result
        shown = self.session.output(number) + text(result["data"].get("text/plain", ""))
        first = []

        def count(found):
            first.append(int(found.group(1))) if not first else None
            return f"res{int(found.group(1)) - first[0]}: "
        return re.sub(r"(?m)^res(\d+): ", count, shown.decode())

    def fails(self, code, kind="spark"):
        result = self.run(code, kind)
        assert result["status"] == "error", result
        return result["ename"], result["evalue"], result["traceback"]

    def data(self, code, kind):
        result = self.run(code)
        assert result["status"] == "ok" and list(result["data"]) == [kind], result
        return json.loads(result["data"][kind])


def make_jar(folder, name, method, value):
    """A jar with this class, which has a static method that gives this number."""
    package, _, base = name.rpartition(".")
    source = folder / f"{base}.java"
    source.write_text(f"package {package}; public class {base} "
                      f"{{ public static int {method}() {{ return {value}; }} }}")
    subprocess.run(["javac", "--release", "8", "-d", folder, source], check=True,
                   stderr=subprocess.DEVNULL)
    path = folder / f"{base.lower()}.jar"
    with zipfile.ZipFile(path, "w") as jar:
        jar.write(folder / package / f"{base}.class", f"{package}/{base}.class")
    return path
