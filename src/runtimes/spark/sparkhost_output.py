# SPDX-License-Identifier: Apache-2.0
"""What statements write: captured, and cut into chunks."""

import contextlib
import ctypes
import fcntl
import os
import struct
import sys
import termios

from sparkhost_text import unfinished_tail


class OutputMeter:
    """Turns what one statement (or the time between two) writes into chunks, and cuts what is
    beyond the limit, with a note where it happens and one at the end."""

    def __init__(self, limit):
        self._limit = limit
        self._left = limit
        self.dropped = 0
        self._tails = {}

    def feed(self, stream, data):
        """Gives (stream, bytes) pairs."""
        data = self._tails.pop(stream, b"") + data
        tail = unfinished_tail(data)
        if tail:
            self._tails[stream] = data[-tail:]
            data = data[:-tail]
        return self._take(stream, data)

    def finish(self):
        chunks = []
        for stream in list(self._tails):
            chunks += self._take(stream, self._tails.pop(stream))
        if self.dropped:
            note = f"[sparkhost: {self.dropped} bytes of output were cut]\n"
            chunks.append(("stderr", note.encode()))
        return chunks

    def _take(self, stream, data):
        if not data:
            return []
        if len(data) <= self._left:
            self._left -= len(data)
            return [(stream, data)]
        kept = data[:self._left]
        kept = kept[:len(kept) - unfinished_tail(kept)]
        chunks = [(stream, kept)] if kept else []
        if not self.dropped:
            note = f"\n[sparkhost: more than {self._limit} bytes of output; the rest is cut]\n"
            chunks.append(("stderr", note.encode()))
        self._left = 0
        self.dropped += len(data) - len(kept)
        return chunks


def is_closed(stream):
    try:
        return stream is None or getattr(stream, "closed", False)
    except ValueError:  # detached
        return True


class Capture:
    """Descriptors 1 and 2 become pipes, for Python, C code and child processes alike."""

    PIPE_SIZE = 1 << 20
    F_SETPIPE_SZ = 1031

    def __init__(self):
        self.readers = {}
        self._writers = {}
        self._streams = {}
        for number, stream in ((1, "stdout"), (2, "stderr")):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            with contextlib.suppress(OSError):  # above the system's limit: a small pipe does
                fcntl.fcntl(writer, self.F_SETPIPE_SZ, self.PIPE_SIZE)
            self.readers[stream] = reader
            self._writers[number] = writer
        self.attach()
        try:
            self._flush_c = ctypes.CDLL(None).fflush
        except (OSError, AttributeError):
            self._flush_c = None

    def attach(self):
        """Makes 1 and 2 ours, again where a statement has closed or moved them."""
        for number, writer in self._writers.items():
            try:
                there = os.fstat(number)
            except OSError:
                there = None
            if there is None or not os.path.samestat(there, os.fstat(writer)):
                os.dup2(writer, number, inheritable=True)
        for name, number, errors in (("stdout", 1, "surrogateescape"),
                                     ("stderr", 2, "backslashreplace")):
            first = name not in self._streams
            if first or is_closed(self._streams[name]):
                self._streams[name] = open(number, "w", buffering=1, encoding="utf-8",
                                           errors=errors, closefd=False)
                setattr(sys, f"__{name}__", self._streams[name])
            if first or is_closed(getattr(sys, name)):
                setattr(sys, name, self._streams[name])

    def flush(self):
        for stream in self._streams.values():
            with contextlib.suppress(ValueError, OSError):
                stream.flush()
        if self._flush_c is not None:
            self._flush_c(None)

    def pending(self, stream):
        """How many bytes have been written and not been read."""
        buffer = fcntl.ioctl(self.readers[stream], termios.FIONREAD, b"\0" * 4)
        return struct.unpack("i", buffer)[0]

    def read(self, stream, size):
        try:
            return os.read(self.readers[stream], size)
        except BlockingIOError:
            return b""
