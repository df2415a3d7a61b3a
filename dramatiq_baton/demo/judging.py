"""A verdict on a source: can one build on it, as far as its own metadata tells?"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from .corpus import Source


class Verdict(TypedDict):
    """What speaks for a source and what does not, and a score from 0 to 100 that sums it up."""

    name: str
    score: int
    strengths: list[str]
    doubts: list[str]


@dataclass(frozen=True)
class _Finding:
    """What one criterion found; either text may be empty."""

    points: int
    strength: str = ""
    doubt: str = ""


def judge(source: Source) -> Verdict:
    """Judge ``source`` by its licence, documentation, maturity, pages and requirements."""
    findings = [criterion(source) for criterion in _CRITERIA]
    return Verdict(
        name=source["name"],
        score=sum(finding.points for finding in findings),
        strengths=[finding.strength for finding in findings if finding.strength],
        doubts=[finding.doubt for finding in findings if finding.doubt],
    )


def _licence(source: Source) -> _Finding:
    """Up to 20 points: terms that are named, and whose text is there."""
    name, text = source["licence"]["name"], source["licence"]["text"]
    if name and text:
        return _Finding(20, strength=f"clear licence ({name}), text included")
    if name:
        return _Finding(12, doubt=f"names its licence ({name}), but its text is not installed")
    if text:
        return _Finding(8, doubt="comes with a licence that its metadata does not name")
    return _Finding(0, doubt="states no licence")


def _documentation(source: Source) -> _Finding:
    """Up to 25 points: how much there is to read without leaving the package."""
    words = source["words"]
    if words >= 500:
        return _Finding(25, strength=f"thorough description ({words:,} words of prose)")
    if words >= 150:
        return _Finding(18, strength=f"description of a useful length ({words} words of prose)")
    if words >= 60:
        return _Finding(11, doubt=f"short description ({words} words of prose)")
    return _Finding(4, doubt=f"hardly any description ({_count(words, 'word')} of prose)")


def _maturity(source: Source) -> _Finding:
    """Up to 10 points: the development status that a project gives itself."""
    for classifier in source["classifiers"]:
        if status := re.match(r"Development Status :: (\d) - (.+)", classifier):
            stage, label = int(status[1]), status[2]
            if stage in (5, 6):
                return _Finding(10, strength=f"calls itself {label.lower()}")
            if stage == 4:
                return _Finding(7)
            if stage == 7:
                return _Finding(0, doubt="is no longer developed")
            return _Finding(2, doubt=f"calls itself {label.lower()}")
    return _Finding(5, doubt="gives no development status")


def _freshness(source: Source) -> _Finding:
    """Up to 15 points: classifiers that keep up with Python, which need a release each year."""
    declared = [
        int(version[1])
        for classifier in source["classifiers"]
        if (version := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", classifier))
    ]
    if not declared:
        return _Finding(6, doubt="names no Python versions in its classifiers")
    newest, running = max(declared), sys.version_info.minor
    if newest >= running:
        return _Finding(15, strength=f"declares Python up to 3.{newest}")
    return _Finding(
        10 if newest == running - 1 else 3,
        doubt=f"declares Python up to 3.{newest} only, and this is 3.{running}",
    )


def _pages(source: Source) -> _Finding:
    """Up to 12 points: where to read on, to see the code and to report a fault."""
    kinds = {
        "documentation": (5, r"\bdocs?\b|documentation|readthedocs|\bguide\b"),
        "source code": (4, r"source|\bcode\b|\brepo|github\.com/[^/]+/[^/]+/?$|gitlab|codeberg"),
        "issues or changes": (3, r"issue|bug|tracker|change|release|history"),
    }
    pages = [f"{label} {address}" for label, address in source["urls"].items()]
    found = [
        kind
        for kind, (_, sign) in kinds.items()
        if any(re.search(sign, page, re.IGNORECASE) for page in pages)
    ]
    missing = [kind for kind in kinds if kind not in found]
    return _Finding(
        sum(kinds[kind][0] for kind in found),
        strength=f"links to {_listed(found)}" if found else "",
        doubt=f"no link to {_listed(missing, 'or')}" if missing else "",
    )


def _python(source: Source) -> _Finding:
    """Up to 8 points: whether an installer can tell which Python it needs."""
    if source["requires_python"]:
        return _Finding(8, strength=f"requires Python {source['requires_python']}")
    return _Finding(0, doubt="does not state which Python it needs")


def _dependencies(source: Source) -> _Finding:
    """Up to 10 points: every dependency is one more project to rely on."""
    # Those with a condition are mostly for old versions of Python and other platforms.
    always = sum(";" not in requirement for requirement in source["requires"])
    sometimes = len(source["requires"]) - always
    if always == 0:
        return _Finding(10, strength="needs no other packages" + (" on most platforms" if sometimes else ""))
    needs = f"needs {_count(always, 'other package')}" + (
        f", {sometimes} more on some platforms" if sometimes else ""
    )
    if always <= 3:
        return _Finding(8, strength=needs)
    return _Finding(5 if always <= 8 else 2, doubt=needs)


#: The points of these add up to 100.
_CRITERIA: tuple[Callable[[Source], _Finding], ...] = (
    _licence,
    _documentation,
    _maturity,
    _freshness,
    _pages,
    _python,
    _dependencies,
)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(things: list[str], word: str = "and") -> str:
    *others, last = things
    return f"{', '.join(others)} {word} {last}" if others else last
