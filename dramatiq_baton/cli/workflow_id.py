"""The argument ``ID`` of commands about one workflow, which the shell can complete."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import click
from click.shell_completion import CompletionItem

from ..errors import BatonError
from ..names import is_name
from ..store import catalogue
from ..store.catalogue import Entry
from ..store.reading import not_found
from .target import Target
from .text import clean

#: How many ids are offered, and among how many of the newest workflows they are looked for.
OFFERED, LOOKED_AT = 50, 1_000
#: How long the shell may be kept waiting for an answer of the server, in seconds.
PATIENCE = 0.5


class WorkflowId(click.ParamType[str]):
    """Takes an id as it is.

    Raises:
      WorkflowNotFound: If no workflow can have that id, which Redis need not be asked about.
    """

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        if not is_name(value):
            raise not_found(value)
        return value

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The newest workflows whose ids begin like that; none if the server can't be asked."""
        options = context.find_root().params
        try:
            store = Target(options["url"], options["namespace"]).open_briefly(PATIENCE)
            newest = islice(catalogue.entries(store), LOOKED_AT)
            found = (entry for entry in newest if entry.id.startswith(incomplete))
            return list(_offers(islice(found, OFFERED)))
        except BatonError:
            return []


def _offers(entries: Iterator[Entry]) -> Iterator[CompletionItem]:
    for entry in entries:
        if clean(entry.id) == entry.id:  # the shell writes it to the terminal
            yield CompletionItem(entry.id, help=f"{clean(entry.name)}, {entry.state}")


workflow_id_argument = click.argument("workflow_id", metavar="ID", type=WorkflowId())
