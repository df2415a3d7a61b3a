"""A source, and what a brief says of it."""

from __future__ import annotations

import sys

from dramatiq_baton.demo.compiling import Entry
from dramatiq_baton.demo.corpus import Licence, Source
from dramatiq_baton.demo.judging import Verdict
from dramatiq_baton.demo.keywords import Keyword


def make_source(**changes: object) -> Source:
    values: dict[str, object] = {
        "name": "kettle",
        "version": "1.0",
        "summary": "Boils water.",
        "readme": "Kettle boils water.",
        "licence": Licence(name="MIT", text="Permission is hereby granted"),
        "urls": {
            "Documentation": "https://docs.example",
            "Source": "https://github.com/x/kettle",
            "Issues": "https://github.com/x/kettle/issues",
        },
        "requires": [],
        "requires_python": ">=3.11",
        "classifiers": [
            "Development Status :: 5 - Production/Stable",
            f"Programming Language :: Python :: 3.{sys.version_info.minor}",
        ],
        "words": 1000,
    }
    return Source(**{**values, **changes})  # type: ignore[typeddict-item]


def make_entry(source: Source | None = None, *, score: int = 50, **changes: object) -> Entry:
    source = source or make_source()
    values: dict[str, object] = {
        "source": source,
        "summary": ["Kettle boils water."],
        "keywords": [Keyword(word="water", weight=1.0)],
        "verdict": Verdict(name=source["name"], score=score, strengths=["fast"], doubts=["hot"]),
    }
    return Entry(**{**values, **changes})  # type: ignore[typeddict-item]
