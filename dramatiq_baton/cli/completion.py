"""``dramatiq-baton completion``: the shell completes commands, options and the ids of workflows."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

# What click itself looks for in the environment.
_VARIABLE = "_DRAMATIQ_BATON_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that makes the shell complete.

    It completes commands, options and the ids of workflows; these come from the server that BATON_REDIS_URL
    or --url names.

    \b
    Example:
      bash:  echo 'eval "$(dramatiq-baton completion bash)"' >> ~/.bashrc
      zsh:   echo 'eval "$(dramatiq-baton completion zsh)"' >> ~/.zshrc
      fish:  dramatiq-baton completion fish > ~/.config/fish/completions/dramatiq-baton.fish
    """
    complete = get_completion_class(shell)
    assert complete is not None  # click has all three
    root = context.find_root()
    click.echo(complete(root.command, {}, "dramatiq-baton", _VARIABLE).source())
