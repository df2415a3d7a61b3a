"""The same actors, but for one: what a worker runs that an older release of the program is deployed on."""

from __future__ import annotations

from tests.support.actors import *  # noqa: F403
from tests.support.actors import broker

del broker.actors["act_async"]
