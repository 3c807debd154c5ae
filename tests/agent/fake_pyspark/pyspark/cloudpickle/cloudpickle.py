# SPDX-License-Identifier: Apache-2.0
from pickle import dumps, loads  # noqa: F401
