"""Gives a Python process a wrong clock: Python imports this first in a process that has this folder on its path.

``BATON_TEST_CLOCK_OFF`` says by how many seconds ``time.time()`` is wrong. Everything that Dramatiq and Baton
know of the time of day comes from there; intervals (``time.monotonic()``) are right, as on a machine whose clock
was set wrongly.
"""

from __future__ import annotations

import os
import time

_right_time, _right_time_ns = time.time, time.time_ns
_off = int(os.environ["BATON_TEST_CLOCK_OFF"])

time.time = lambda: _right_time() + _off
time.time_ns = lambda: _right_time_ns() + _off * 1_000_000_000
