# SPDX-License-Identifier: Apache-2.0
class Shell:
    """A session's statements of kind sparkr, numbered."""

    def __init__(self, session):
        self.session = session
        self.last = -1

    def execute(self, code, kind="sparkr"):
        self.last += 1
        self.session.execute(self.last, code, kind)
        return self.last

    def begin(self, code):
        """Starts it, and waits until it has got to the code."""
        number = self.execute("cat('go\\n')\n" + code)
        self.session.running(number)
        return number

    def run(self, code, kind="sparkr"):
        """Gives the result."""
        return self.session.result(self.execute(code, kind))

    def text(self, code):
        """What R has printed of code that succeeds."""
        result = self.run(code)
        assert result["status"] == "ok", result
        return self.session.output(self.last).decode()

    def error(self, code):
        """What R says against code, as Livy shows it."""
        result = self.run(code)
        assert (result["status"], result["ename"], result["traceback"]) == ("error", "Error", [])
        return result["evalue"]

    def complaint(self):
        """What the last statement wrote to stderr."""
        return self.session.output(self.last, "stderr").decode()

    def python(self, code):
        result = self.run(code, "pyspark")
        assert result["status"] == "ok", result
        return result["data"].get("text/plain")
