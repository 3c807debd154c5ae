# SPDX-License-Identifier: Apache-2.0
"""Adds jars and files to a session that runs."""

import os
import tempfile
from urllib.parse import unquote, urlsplit

from sparkhost_java import add_to_driver

KINDS_OF_FILES = ("jar", "file", "pyfile")


def local_path(uri):
    """The path on this machine that a URI names, or None where it names another place."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return uri
    if parts.scheme in ("file", "local") and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    return None


class Files:
    def __init__(self, spark, codes):
        self._spark = spark
        self._codes = codes
        self._folder = None

    def add(self, what, uri):
        """Raises where it cannot be done. What is there already is left as it is."""
        context = self._spark.context()
        path = local_path(uri)
        if path is not None and not os.path.exists(path):
            raise FileNotFoundError(f"{uri} does not exist in the driver")
        if what == "file":
            context.addFile(uri)
        elif what == "pyfile":
            context.addPyFile(uri)
        else:
            self._add_jar(context, uri, path)

    def _add_jar(self, context, uri, path):
        if path is None:
            path = self._fetch(context, uri)
        elif not os.path.isfile(path):
            raise IsADirectoryError(f"{uri} is not a file")
        context._jsc.addJar(uri)
        add_to_driver(context, path)
        for code in self._codes.values():
            if hasattr(code, "add_jar"):  # an interpreter with a class path of its own
                code.add_jar(path)

    def _fetch(self, context, uri):
        """A copy for the class loader, which reads this machine's files only."""
        if self._folder is None:  # inside Spark's own, which is removed with it
            self._folder = tempfile.mkdtemp(dir=getattr(context, "_temp_dir", None))
        jvm = context._jvm
        source = jvm.org.apache.hadoop.fs.Path(uri)
        # a folder each: a jar that is in use must not change
        path = os.path.join(tempfile.mkdtemp(dir=self._folder), source.getName())
        source.getFileSystem(context._jsc.hadoopConfiguration()).copyToLocalFile(
            False, source, jvm.org.apache.hadoop.fs.Path("file://" + path), True)
        return path


def add_error(error):
    """One line or few: for Java's exceptions, what they say and not where they come from."""
    throwable = getattr(error, "java_exception", None)
    if throwable is not None:
        return throwable.toString()
    return str(error) if isinstance(error, (OSError, RuntimeError)) \
        else f"{type(error).__name__}: {error}"
