"""The same actors, with Dramatiq's ``Prometheus`` in front of all other middleware, and behind it.

``dramatiq_prom_db``, ``dramatiq_prom_host`` and ``dramatiq_prom_port`` say where it keeps and shows its numbers.
"""

from __future__ import annotations

import os

from dramatiq.middleware import AgeLimit
from dramatiq.middleware.prometheus import Prometheus

from tests.support.actors import *  # noqa: F403
from tests.support.actors import broker

if os.environ["BATON_TEST_PROMETHEUS"] == "first":
    broker.add_middleware(Prometheus(), before=AgeLimit)
else:
    broker.add_middleware(Prometheus())
