"""Worker processes of the tests of LLM actors run this module."""

from __future__ import annotations

from .actors import broker
from .llm_actors import declare

actors = declare(broker)
