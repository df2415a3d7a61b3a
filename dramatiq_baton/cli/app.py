"""The command's entry: options that all commands share, and how errors end."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from .. import __version__
from ..errors import BatonError
from ..middleware import URL_VARIABLE
from . import cancel, completion, demo, graph, listing, prune, retry, show, watch
from .target import Target
from .text import clean

DEFAULT_URL = "redis://127.0.0.1:6379/0"

EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130


class _InOrder(click.Group):
    """A group whose help lists its commands in the order in which they were added."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dramatiq-baton")
@click.option(
    "--url",
    envvar=URL_VARIABLE,
    default=DEFAULT_URL,
    show_default=True,
    help=f"The Redis server that keeps the workflows; also taken from {URL_VARIABLE}.",
)
@click.option("--namespace", default="baton", show_default=True, help="The namespace of BatonMiddleware.")
@click.pass_context
def cli(context: click.Context, url: str, namespace: str) -> None:
    """Watch workflows of dramatiq-baton, look into them, and act on them.

    \b
    Example:
      dramatiq-baton list --state failed
      dramatiq-baton --url redis://10.0.0.5:6379/0 show 3f0c2a
    """
    context.obj = Target(url, namespace)


for module in (watch, listing, show, graph, cancel, retry, prune, demo, completion):
    cli.add_command(module.command)


def main() -> NoReturn:
    """Run the command and exit: 0, or 2 after one line on standard error that says what was wrong."""
    try:
        code = cli.main(prog_name="dramatiq-baton", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = EXIT_WRONG_INPUT
    except click.ClickException as error:
        code = _complain(error.format_message())
    except BatonError as error:
        code = _complain(str(error))
    except (KeyboardInterrupt, click.Abort):
        code = EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str) -> int:
    click.echo(f"dramatiq-baton: {clean(message)}", err=True)
    return EXIT_WRONG_INPUT
