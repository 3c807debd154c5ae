# SPDX-License-Identifier: Apache-2.0
"""What every kind of cluster has: a folder, and parts that are processes."""

import json
import pathlib


class Cluster:
    """A cluster in a folder. A kind of its own says how its parts start and what they are told."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.parts = {}

    # ---- each kind's own -----------------------------------------------------------------------

    @staticmethod
    def add_options(parser):
        """Options of tools/clusters for this kind."""

    @classmethod
    def make(cls, folder, options):
        """The cluster that these options ask for; not started."""
        raise NotImplementedError

    def start(self):
        """Gives itself once the cluster can be used."""
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def restart(self, name, *more):
        """Starts a part anew, with more arguments than before."""
        raise NotImplementedError

    def environment(self):
        """What programs that use the cluster are told."""
        raise NotImplementedError

    def details(self):
        """What a person wants to know besides folder and processes."""
        return {}

    # ---- the same for all ----------------------------------------------------------------------

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def kill(self, name):
        self.parts[name].kill()

    def describe(self):
        return json.dumps({"folder": str(self.folder), **self.details(),
                           "parts": {name: part.pid for name, part in self.parts.items()},
                           "environment": self.environment()}, indent=2)
