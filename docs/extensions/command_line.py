"""The directive ``command-line``: what ``--help`` says of every command, so that it can't go stale."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from dramatiq_baton.cli.app import cli

WIDTH = 100


def helps() -> Iterator[tuple[str, str]]:
    """Each command, as it is typed, and what its ``--help`` says; the one that has the others first."""
    name = "dramatiq-baton"
    with cli.make_context(name, [], resilient_parsing=True, terminal_width=WIDTH) as above:
        yield name, cli.get_help(above)
        for word in cli.list_commands(above):
            command = cli.commands[word]
            with command.make_context(word, [], above, resilient_parsing=True) as context:
                yield f"{name} {word}", command.get_help(context)


class CommandLine(Directive):
    """A section for each command."""

    def run(self) -> list[nodes.Node]:
        sections: list[nodes.Node] = []
        for name, text in helps():
            section = nodes.section(ids=[nodes.make_id(name)], names=[name])
            section += nodes.title(text=name)
            section += nodes.literal_block(text, text, language="text")
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
