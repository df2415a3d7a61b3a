"""Worlds without workers, in which steps are settled by hand, and a watched line to Redis."""

from tests.support.own import by_hand, own_world  # noqa: F401
from tests.support.watched import line, watched_hand, watched_world  # noqa: F401
