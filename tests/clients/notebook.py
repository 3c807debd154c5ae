# SPDX-License-Identifier: Apache-2.0
"""A notebook without a browser: a kernel of sparkmagic, driven as Jupyter drives it."""

import json
import os
import pathlib
import sys
import time

import jupyter_client
import jupyter_client.kernelspec
import sparkmagic

import processes
import sessions

DEADLINE = 180  # seconds, for whatever a cell has to do; a first one starts a driver
KERNELS = pathlib.Path(sparkmagic.__file__).parent / "kernels"


class Cell:
    """What a cell has shown."""

    def __init__(self):
        self.status = None
        self.streams = {"stdout": "", "stderr": ""}
        self.shown = []  # by mime type

    def take(self, kind, content):
        if kind == "stream":
            self.streams[content["name"]] += content["text"]
        elif kind in ("display_data", "execute_result"):
            self.shown.append(content["data"])
        elif kind == "error":
            self.streams["stderr"] += "\n".join(content["traceback"])

    @property
    def out(self):
        return self.streams["stdout"]

    @property
    def err(self):
        return self.streams["stderr"]

    def of_type(self, mime):
        return [one[mime] for one in self.shown if mime in one]

    @property
    def html(self):
        return "".join(self.of_type("text/html"))


class Notebook:
    """One notebook on one kernel; its home is a folder of its own."""

    def __init__(self, folder, url, kernel="pysparkkernel", **configuration):
        folder.mkdir()
        credentials = {"username": "", "password": "", "url": url, "auth": "None"}
        (folder / "config.json").write_text(json.dumps({
            "kernel_python_credentials": credentials, "kernel_scala_credentials": credentials,
            "kernel_r_credentials": credentials, "use_auto_viz": False,
            # a session that is deleted waits for its heart to stop
            "heartbeat_refresh_seconds": 1, "livy_session_startup_timeout_seconds": DEADLINE - 10,
            "session_configs": {"conf": dict(sessions.CONF)}, **configuration}))
        specs = jupyter_client.kernelspec.KernelSpecManager(
            kernel_dirs=[str(KERNELS)], ensure_native_kernel=False)
        self.manager = jupyter_client.KernelManager(
            kernel_name=kernel, kernel_spec_manager=specs, transport="ipc",
            connection_file=str(folder / "kernel.json"))
        self.log = open(folder / "kernel.log", "wb")
        self.manager.start_kernel(
            cwd=str(folder), stdout=self.log, stderr=self.log,
            preexec_fn=processes.die_with_parent,
            env={**os.environ, "HOME": str(folder), "SPARKMAGIC_CONF_DIR": str(folder),
                 "IPYTHONDIR": str(folder / "ipython"),
                 "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)

    def begin(self, code):
        """Gives the number of the request."""
        return self.client.execute(code, allow_stdin=False)

    def follow(self, request, cell, reached):
        """Takes in what the cell shows until `reached(kind, content)` holds."""
        deadline = time.monotonic() + DEADLINE
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            cell.take(kind, content)
            if reached(kind, content):
                return
            over = kind == "status" and content["execution_state"] == "idle"
            assert not over, f"the cell has ended: {cell.out} {cell.err}"

    def finish(self, request, cell):
        self.follow(request, cell, lambda kind, content: (
            kind == "status" and content["execution_state"] == "idle"))
        while True:
            reply = self.client.get_shell_msg(timeout=DEADLINE)
            if reply["parent_header"].get("msg_id") == request:
                cell.status = reply["content"]["status"]
                return cell

    def run(self, code):
        """Gives what the cell has shown when it is over."""
        return self.finish(self.begin(code), Cell())

    def good(self, code):
        cell = self.run(code)
        assert cell.status == "ok" and cell.err == "", (cell.err, cell.out)
        return cell

    def close(self):
        """As Jupyter closes it: the kernel is asked to end and gets the time it needs."""
        self.client.shutdown()
        self.manager.finish_shutdown(waittime=DEADLINE)
        self.client.stop_channels()
        self.manager.cleanup_resources()
        self.log.close()
