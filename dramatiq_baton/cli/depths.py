"""How deep in its workflow each step is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


def depths_of(deps: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The depth of each step: the length of the longest path to it, in linear time.

    Names that aren't steps are passed over. Steps on a cycle, which no workflow has but data from elsewhere
    might, come last.
    """
    waiting = {name: sum(dep in deps for dep in before) for name, before in deps.items()}
    dependents: dict[str, list[str]] = defaultdict(list)
    for name, before in deps.items():
        for dep in before:
            dependents[dep].append(name)
    depths = {name: 0 for name, count in waiting.items() if count == 0}
    ready = list(depths)
    for name in ready:  # grows while it is gone through
        for dependent in dependents.get(name, ()):
            depths[dependent] = depths[name] + 1  # the last dep is the deepest: they come by depth
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                ready.append(dependent)
    if len(ready) < len(deps):
        through = set(ready)
        last = max((depths[name] for name in ready), default=-1) + 1
        depths.update((name, last) for name in deps if name not in through)
    return depths
