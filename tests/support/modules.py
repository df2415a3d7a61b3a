"""Importing a module once more, with an environment of its own."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any


def load(path: Path, name: str, env: dict[str, str]) -> Any:
    """Import ``path`` as a module of its own while ``env`` is set."""
    before = {key: os.environ.get(key) for key in env}
    os.environ.update(env)
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
