"""What the tests of this folder stand on besides the session's worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.own import MakeLab, lab, log, make_lab, own_world
from tests.support.rescuing import Rescuing

__all__ = ["lab", "log", "make_lab", "make_rescuing", "own_world", "rescuing"]


@pytest.fixture
def make_rescuing(make_lab: MakeLab) -> Iterator[Callable[..., Rescuing]]:
    made: list[Rescuing] = []

    def make(**options: int) -> Rescuing:
        made.append(Rescuing(make_lab, **options))
        return made[-1]

    yield make
    for rescuing in made:
        rescuing.close()


@pytest.fixture
def rescuing(make_rescuing: Callable[..., Rescuing]) -> Rescuing:
    return make_rescuing()
