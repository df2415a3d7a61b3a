"""An observer whose package isn't installed says which extra brings it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.modules[{package!r}] = None  # as if it weren't installed
import dramatiq_baton, dramatiq_baton.instrumentation, dramatiq_baton.middleware
try:
    from dramatiq_baton.instrumentation import {observer}
except dramatiq_baton.ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("observer", "package", "says"),
    [
        (
            "PrometheusObserver",
            "prometheus_client",
            "prometheus_client isn't installed: pip install 'dramatiq-baton[prometheus]'",
        ),
        (
            "OpenTelemetryObserver",
            "opentelemetry",
            "opentelemetry-api isn't installed: pip install 'dramatiq-baton[opentelemetry]'",
        ),
    ],
)
def test_it_names_the_extra(observer: str, package: str, says: str) -> None:
    program = PROGRAM.format(package=package, observer=observer)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == says
    assert ended.stderr == ""


def test_neither_package_is_imported_unasked() -> None:
    program = (
        "import sys, dramatiq_baton, dramatiq_baton.instrumentation; "
        "from dramatiq_baton.instrumentation import PrometheusObserver; PrometheusObserver(); "
        "print([name for name in sys.modules if name.startswith('prometheus') or '_opentelemetry' in name])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"  # prometheus_client must not be until a worker starts
