"""Summaries by extraction: the sentences that have most in common with the rest of a text (TextRank)."""

from __future__ import annotations

import math
import re

from .keywords import word_counts

#: How many sentences are compared; the work grows with the square, and what a project is comes early.
MAX_SENTENCES = 120

_DAMPING = 0.85
_ROUNDS = 40

#: Two sentences more alike than this say the same.
_SAME = 0.75

_ABBREVIATIONS = """
    e.g i.e eg ie etc vs cf approx ca resp incl excl esp fig figs no nos vol ed eds pp ch sec dept est inc ltd
    co corp jr sr st mr mrs ms dr prof jan feb mar apr jun jul aug sep sept oct nov dec std misc min max u.s
    a.k.a aka p.s
"""

#: Abbreviations that may end a sentence; before a capital, they do.
_MAY_END = frozenset({"etc", "inc", "ltd", "co", "corp", "u.s", "jr", "sr"})

_BOUNDARY = re.compile(r"""(?P<mark>[.!?…]+)["'”’)\]]*\s+(?=["'“‘(\[]?\w)""")

#: Openings of sentences that send the reader elsewhere, or lead up to what is not there in plain text.
#: The verbs are not meant where they are the name of a project, as in "Click is a package".
_POINTER = re.compile(
    r"""(see|read|visit|check|click|please|refer|consult|follow|try|build|note|warning|learn|browse|post
        |download|remember|install)\b(?!\s+(is|are|can|lets|helps|makes|provides|aims)\b)
      |(for\s+(more|full|further|detailed|details|information|example|instance|an?\s+\w+\s+introduction)
        |here('s|’s|\s+is|\s+are)|the\s+(following|above|output|animation|table\s+below)|there\s+are\s+also
        |if\s+you\s+(find|are\s+reading|want\s+to\s+(contribute|help))|as\s+you|an?\s+(\w+\s+)?example
        |(to|you\s+(can|should|need\s+to)|start\s+by|first,?)\s+(install|download|upgrade)|let's|let’s
        |you\s+may\s+now|documentation|in\s+(this|the)\s+(section|following)|we\s+want)\b
      |.*\b(see\s+(below|above|the)|below:?|shown\s+above|as\s+follows|click\s+here|in\s+this\s+readme|pull\s+requests?
        |backed\s+by|copyright|licensed\s+under|code\s+of\s+conduct|in\s+the\s+documentation
        |can\s+be\s+found|should\s+be\s+(directed|contributed)|mailing\s+list|(issue|bug)\s+tracker)\b""",
    re.IGNORECASE | re.VERBOSE,
)

#: Openings that lean on the sentence before.
_LEANING = re.compile(
    r"(it|its|it's|it’s|this(?!\s+(library|module|package|plugin|project|tool)\b)|that|these|those"
    r"|they|their|he|she|however|but|and|or|so|also|then|therefore|thus"
    r"|in addition|additionally|furthermore|moreover|instead|otherwise|such|both|alternatively|note that|yes"
    r"|when .{0,12}this|without th(at|is|e)|especially)\b"
    r"|.*\b(however|either|though)\W*$",
    re.IGNORECASE,
)

#: What a thing is or does: "Click is a package …", "This library provides …".
_DEFINITION = re.compile(
    r"([\w.-]+\s){1,3}(is|are|provides|offers|implements|makes|helps|allows|lets|bundles|measures)\s",
    re.IGNORECASE,
)

#: A definition that leads up to a list, of which the colon can do as a full stop.
_INTRODUCTION = re.compile(r"[\w.-]+\s(is|provides|offers)\s(an?|the)\s(?!following).{20,}:$", re.IGNORECASE)

#: Releases, platforms and installing: true, but not what a reader of a summary looks for.
_CIRCUMSTANCE = re.compile(
    r"\b(pip|PyPI|conda|wheels?|install(ed|ing|ation|s)?|compiler|Python\s+\d|versions?|v?\d+\.\d+|PyPy|CPython"
    r"|deprecated|released?|maintained|written\s+by|backwards?)\b",
    re.IGNORECASE,
)


def summarise(text: str, *, sentences: int = 3) -> list[str]:
    """Choose the sentences of ``text`` that represent it best, in the order in which they occur.

    There are fewer than asked for if the text has fewer that read well on their own.
    """
    every = [
        f"{sentence[:-1]}." if _INTRODUCTION.match(sentence) else sentence
        for sentence in split_sentences(text)
    ]
    candidates = [index for index, sentence in enumerate(every) if _reads_well(sentence, index)]
    del candidates[MAX_SENTENCES:]
    bags = [word_counts(every[index]) for index in candidates]
    likeness = [[_cosine(one, other) for other in bags] for one in bags]
    ranks = _ranks(likeness)
    scores = [rank * _standing(every[candidates[place]], place) for place, rank in enumerate(ranks)]
    best_first = sorted(range(len(candidates)), key=lambda place: (-scores[place], place))
    chosen: list[int] = []

    def fits(place: int) -> bool:
        if place in chosen or any(likeness[place][other] >= _SAME for other in chosen):
            return False
        # What "it" stands for is in the sentence before, so that one must be there too.
        before = candidates[place] - 1
        return not _LEANING.match(every[before + 1]) or before in [candidates[other] for other in chosen]

    while len(chosen) < sentences:
        fitting = next((place for place in best_first if fits(place)), None)
        if fitting is None:
            break
        chosen.append(fitting)
    return [every[candidates[place]] for place in sorted(chosen)]


def split_sentences(text: str) -> list[str]:
    """Split ``text`` into sentences; paragraphs are separated by empty lines, and no sentence crosses one."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        line = " ".join(paragraph.split())
        start = 0
        for match in _BOUNDARY.finditer(line):
            if _ends_sentence(line[start : match.start()], match["mark"], line[match.end() :]):
                found.append(line[start : match.end()].strip())
                start = match.end()
        if line[start:]:
            found.append(line[start:])
    return found


def _ends_sentence(before: str, mark: str, after: str) -> bool:
    """Tell whether ``mark`` ends a sentence, from what stands on either side of it."""
    goes_on = after[:1].islower()
    if mark != ".":
        return not goes_on or mark in ("!", "?")
    words = before.split()
    last = words[-1].lstrip("\"'“‘([").lower() if words else ""
    if last in _ABBREVIATIONS.split():
        return last in _MAY_END and after[:1].isupper()
    if len(last) == 1 and last.isalpha():
        # An initial, as in "J. Smith"; but "written in C. It is fast" is two sentences.
        return len(words) > 1 and not words[-2][:1].isupper()
    # The number of a list item is no sentence. Names of projects are often in lower case, so what follows
    # may well be a sentence even so.
    return not (len(words) == 1 and last.isdigit())


def _reads_well(sentence: str, index: int) -> bool:
    """Tell whether a sentence stands on its own: whole, of a length to read, and not an instruction."""
    # A motto may be short: it stands at the beginning.
    least = 4 if index < 4 else 6
    if not least <= len(sentence.split()) <= 45 or not re.search(r"""[.!?]["'”’)\]]*$""", sentence):
        return False
    if not re.match(r"""["'“‘(]?\w""", sentence) or _POINTER.match(sentence):
        return False
    if sentence.endswith("?") or sentence.count("(") != sentence.count(")"):
        return False
    # Code that was set as text, and addresses.
    return not re.search(r"https?://|[{}$]|>>>|==|\w\(\w*\)|\w=\w|(?<!\S)--\w|\w_\w+_\w", sentence)


def _standing(sentence: str, place: int) -> float:
    """Weigh a sentence by what it tells: what something is, rather than how to install it."""
    standing = 1.0 + 2.0 / (1 + place) ** 2
    if _DEFINITION.match(sentence):
        standing += 1.5 / (1 + place / 4)
    if _CIRCUMSTANCE.search(sentence):
        standing *= 0.35
    if not 8 <= len(sentence.split()) <= 34:
        standing *= 0.75
    return standing


def _cosine(one: dict[str, int], other: dict[str, int]) -> float:
    shared = sum(count * other[word] for word, count in one.items() if word in other)
    lengths = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return shared / lengths if lengths else 0.0


def _ranks(likeness: list[list[float]]) -> list[float]:
    """Rank the nodes of a weighted graph by power iteration, as PageRank does.

    A walk that starts afresh prefers the beginning, where a project says what it is.
    """
    size = len(likeness)
    fresh = [1 / (2 + index) for index in range(size)]
    total = sum(fresh)
    fresh = [share / total for share in fresh]
    # What a node is like itself must not count, or a sentence like no other would keep all its weight.
    weights = [[0.0 if i == j else row[j] for j in range(size)] for i, row in enumerate(likeness)]
    leaving = [sum(row) for row in weights]
    ranks = fresh
    # A fixed number of rounds gives the same answer everywhere; by then, the ranks hardly move.
    for _ in range(_ROUNDS):
        lost = sum(rank for rank, out in zip(ranks, leaving, strict=True) if not out)
        ranks = [
            (1 - _DAMPING + _DAMPING * lost) * fresh[i]
            + _DAMPING * sum(ranks[j] * weights[j][i] / leaving[j] for j in range(size) if leaving[j])
            for i in range(size)
        ]
    return ranks
