"""The demo's actors: the steps of a research brief. Worker processes run this module.

The work is real; what is staged is marked as such: a pause in each step so that one can watch, one failure,
one snooze, and one source that doesn't exist.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import dramatiq

from .. import BatonMiddleware, Snooze, Workflow, current_step, workflow_actor
from ..brokers import RedisBroker
from ..middleware import URL_VARIABLE
from .compiling import Entry, compile_brief
from .corpus import Source, UnreadableSource, fetch_source
from .judging import Verdict, judge
from .keywords import Keyword, keywords, word_counts
from .ranking import summarise

#: Says how long each step pauses, in milliseconds.
PACE_VARIABLE = "BATON_DEMO_PACE"
#: A source that can't be read, because there is no such distribution.
UNREADABLE = "a-package-that-is-not-there"

broker: dramatiq.Broker = RedisBroker(url=os.environ.get(URL_VARIABLE))
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)


@workflow_actor(max_retries=3, min_backoff=300, throws=UnreadableSource)
def fetch(name: str, fail_at_first: bool = False) -> Source:
    """Read a distribution's metadata, README and licence."""
    _pause()
    if fail_at_first and _attempt() == 1:
        raise ConnectionError("staged: the connection broke")
    return fetch_source(name)


@workflow_actor
def summarise_source(source: Source) -> list[str]:
    """Pick the sentences that say most."""
    _pause()
    return summarise(source["readme"])


@workflow_actor
def count_words(sources: Sequence[Source | None]) -> dict[str, dict[str, int]]:
    """Count the words of all sources that could be read: what is rare in one depends on the others."""
    _pause()
    return {source["name"]: word_counts(source["readme"]) for source in sources if source}


@workflow_actor
def extract_keywords(source: Source, counts: dict[str, dict[str, int]]) -> list[Keyword]:
    """Pick the words that tell this source from the others."""
    _pause()
    others = [words for name, words in counts.items() if name != source["name"]]
    return keywords(counts[source["name"]], others)


@workflow_actor
def judge_source(source: Source, snooze_at_first: bool = False) -> Verdict | Snooze:
    """Judge how far a source can be relied on."""
    _pause()
    if snooze_at_first and _attempt() == 1:
        return Snooze(700, "staged: the judge is busy")
    return judge(source)


@workflow_actor
def compile_sources(
    names: list[str],
    sources: Sequence[Source | None],
    summaries: Sequence[list[str] | None],
    words: Sequence[list[Keyword] | None],
    verdicts: Sequence[Verdict | None],
) -> str:
    """Write the brief about the sources of which everything is known."""
    _pause()
    entries = [
        Entry(source=source, summary=summary, keywords=telling, verdict=verdict)
        for source, summary, telling, verdict in zip(sources, summaries, words, verdicts, strict=True)
        if source is not None and summary is not None and telling is not None and verdict is not None
    ]
    read = {entry["source"]["name"] for entry in entries}
    missing = [
        name for name, source in zip(names, sources, strict=True) if not source or source["name"] not in read
    ]
    return compile_brief("What these Python packages are for", entries, missing)


def research_brief(names: Sequence[str]) -> Workflow:
    """The workflow: fetch each source, look at it in three ways, compile a brief of what was found."""
    flow = Workflow("research-brief")
    sources = [flow.add(f"fetch {name}", fetch.message(name, i == 1)) for i, name in enumerate(names)]
    counts = flow.add("count words", count_words.message(sources), ignore_discarded=True)
    summaries, words, verdicts = [], [], []
    for i, (name, source) in enumerate(zip(names, sources, strict=True)):
        summaries.append(flow.add(f"summarise {name}", summarise_source.message(source)))
        words.append(flow.add(f"keywords {name}", extract_keywords.message(source, counts)))
        verdicts.append(flow.add(f"judge {name}", judge_source.message(source, i == 0)))
    brief = compile_sources.message(list(names), sources, summaries, words, verdicts)
    flow.add("brief", brief, ignore_discarded=True, ignore_cancelled=True)
    return flow


def _pause() -> None:
    time.sleep(int(os.environ.get(PACE_VARIABLE, "0")) / 1000)


def _attempt() -> int:
    step = current_step()
    return 1 if step is None else step.attempt
