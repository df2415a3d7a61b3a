"""What to say when a package is missing that one of the observers needs."""

from __future__ import annotations

from ..errors import ConfigurationError


def missing(package: str, *, extra: str) -> ConfigurationError:
    """The error for a package that isn't installed."""
    return ConfigurationError(f"{package} isn't installed: pip install 'dramatiq-baton[{extra}]'")
