"""The names of all keys. What each holds stands at the top of ``lua/shared/keys.lua``."""

from __future__ import annotations

#: Separates the parts of an index member; no id or name contains a control character.
SEPARATOR = "\x1f"


class Keys:
    """The keys of one namespace.

    All keys of one workflow carry its id in braces, which puts them into one slot of a cluster.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.index = f"{namespace}:index"
        self.all_events = f"{namespace}:workflow:all:events"

    def workflow(self, workflow_id: str) -> str:
        return f"{self.namespace}:workflow:{{{workflow_id}}}"

    def workflows(self, state: str) -> str:
        return f"{self.index}:workflows:{state}"

    def events(self, workflow_id: str) -> str:
        return f"{self.workflow(workflow_id)}:events"

    def ends(self, workflow_id: str) -> str:
        return f"{self.workflow(workflow_id)}:ends"
