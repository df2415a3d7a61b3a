"""``dramatiq-baton demo``: the research brief on an embedded server, with nothing to set up."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule

from ..embedded import embedded_server
from ..middleware import URL_VARIABLE, client_from
from ..store.store import Store
from . import live
from .lines import line


@click.command("demo")
@click.option("--sources", default=5, show_default=True, type=click.IntRange(2, 50), help="Packages to read.")
@click.option(
    "--pace", default=250, show_default=True, type=click.IntRange(0), help="Pause in each step, in ms."
)
def command(sources: int, pace: int) -> int:
    """Run a real workflow and show it live: a brief about Python packages installed here.

    It starts a server of its own and two worker processes, and stops them again.

    \b
    Example:
      dramatiq-baton demo --sources 8
    """
    signal.signal(signal.SIGTERM, _leave)
    with embedded_server() as url:
        # The demo's actors connect where they are told to when they are imported.
        os.environ[URL_VARIABLE] = url
        from ..demo import actors, running
        from ..demo.corpus import available_sources

        names = [*available_sources(sources), actors.UNREADABLE]
        with running.workers(actors.__name__, {actors.PACE_VARIABLE: str(pace)}):
            run = actors.research_brief(names).run()
            if sys.stdout.isatty():
                live.show_workflow(Store(client_from(url)), run.id, exit_on_finish=True)
            else:
                for event in run.events(follow=True):
                    click.echo(line(event))
            status = run.wait()
        brief = run.result("brief")
    console = Console()
    if console.is_terminal:
        console.print(Rule("brief"), Markdown(brief))
        failed = ", ".join(status.failed_steps)
        console.print(
            f"\nThe workflow counts as {status.state}, because one source could not be read ({failed}).\n"
            "The brief was written without it: its step ignores deps that fail.",
            style="dim",
        )
    else:
        click.echo(brief)
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)  # through all the "finally" that stop what was started
