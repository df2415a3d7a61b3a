"""Fixtures for tests of workflows. pytest loads this module by itself wherever dramatiq-baton is installed.

It isn't a part of the package ``dramatiq_baton``, because it is imported by every pytest of the environment, also by
those that have no workflow to test: whatever takes time is imported when a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dramatiq.brokers.stub import StubBroker

    from dramatiq_baton.testing import FinishedWorkflow


@pytest.fixture(scope="session")
def baton_server() -> str:
    """The URL of an embedded server, which ends with this process."""
    from dramatiq_baton.testing.server import server_url

    return server_url()


@pytest.fixture
def run_workflow(baton_server: str) -> Callable[..., FinishedWorkflow]:
    """``dramatiq_baton.testing.run_workflow``."""
    from dramatiq_baton.testing import run_workflow

    return run_workflow


@pytest.fixture
def baton_broker(baton_server: str) -> Iterator[StubBroker]:
    """A ``StubBroker`` with Dramatiq's default middleware and Baton, for a test that starts a ``dramatiq.Worker``.

    Its workflows live in a namespace of their own, which is deleted behind the test. It isn't the global broker.
    """
    from dramatiq_baton.testing.broker import scratch_broker

    with scratch_broker(baton_server) as broker:
        yield broker
