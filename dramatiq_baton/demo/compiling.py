"""The brief itself: what was found out about every source, as one Markdown document.

What comes from packages is quoted as text: it can neither add markup to the document nor control a terminal.
"""

from __future__ import annotations

import re
from typing import TypedDict
from urllib.parse import quote

from .characters import visible
from .corpus import Source
from .judging import Verdict
from .keywords import Keyword, word_counts

#: How many words the section on common ground lists.
MAX_SHARED = 8

#: How many links a source's section has.
MAX_LINKS = 4

#: The longest text of a table's cell; a wider table is hard to read.
MAX_CELL = 40

#: Labels of pages that are not about the software.
_ASIDE = re.compile(
    r"donat|fund|sponsor|tidelift|contact|chat|discord|twitter|mastodon|bluesky", re.IGNORECASE
)


class Entry(TypedDict):
    """All that the steps of a workflow found out about one source."""

    source: Source
    summary: list[str]
    keywords: list[Keyword]
    verdict: Verdict


def compile_brief(title: str, entries: list[Entry], missing: list[str]) -> str:
    """Write the brief.

    Parameters:
      title: Its heading.
      entries: The sources; the one with the best score comes first.
      missing: The names of the sources that could not be read.
    """
    ranked = sorted(entries, key=lambda entry: (-entry["verdict"]["score"], entry["source"]["name"].lower()))
    parts = [f"# {_text(title) or 'Research brief'}", _overview(ranked, missing)]
    if ranked:
        parts += ["## Sources", _table(ranked)]
    if shared := _shared_words(ranked):
        lines = [
            f"- **{_text(word)}** – {', '.join(_text(name) for name in names)}" for word, names in shared
        ]
        parts += ["## Common ground", "Words that matter to more than one source:", "\n".join(lines)]
    for entry in ranked:
        parts += _section(entry)
    if missing:
        lines = [f"- {_text(name)}" for name in missing]
        parts += ["## Not read", "These sources could not be read, so the brief says nothing about them:"]
        parts += ["\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _overview(ranked: list[Entry], missing: list[str]) -> str:
    """Say in a sentence or two what the brief covers."""
    if not ranked:
        return "No source could be read." if missing else "No sources were asked for."
    count = "1 source was" if len(ranked) == 1 else f"{len(ranked)} sources were"
    best, worst = ranked[0]["verdict"], ranked[-1]["verdict"]
    sentences = [f"{count} read."]
    if len(ranked) > 1:
        sentences.append(
            f"Scores go from {worst['score']} ({_text(worst['name'])})"
            f" to {best['score']} ({_text(best['name'])}) out of 100."
        )
    if missing:
        count = "1 source" if len(missing) == 1 else f"{len(missing)} sources"
        sentences.append(f"{count} could not be read.")
    return " ".join(sentences)


def _table(ranked: list[Entry]) -> str:
    rows = ["| Source | Version | Licence | Score |", "| :--- | :--- | :--- | ---: |"]
    for entry in ranked:
        source = entry["source"]
        values = (source["name"], source["version"], source["licence"]["name"])
        name, version, licence = (_text(value, most=MAX_CELL) for value in values)
        rows.append(f"| {name} | {version} | {licence or 'not stated'} | {entry['verdict']['score']} |")
    return "\n".join(rows)


def _section(entry: Entry) -> list[str]:
    source, verdict = entry["source"], entry["verdict"]
    parts = [f"## {_text(source['name'])} {_text(source['version'])}".rstrip()]
    if source["summary"] and not _says_so_already(entry):
        parts.append(f"*{_text(source['summary'])}*")
    if entry["summary"]:
        parts.append("\n".join(f"- {_text(sentence)}" for sentence in entry["summary"]))
    else:
        parts.append("Its description has no sentences that stand on their own.")
    if words := _telling_keywords(entry):
        parts.append(f"**Keywords:** {', '.join(_text(word) for word in words)}")
    parts.append(f"**Verdict:** {verdict['score']} out of 100")
    reasons = (("For", verdict["strengths"]), ("Against", verdict["doubts"]))
    if lines := [f"- *{side}:* {'; '.join(map(_text, texts))}" for side, texts in reasons if texts]:
        parts.append("\n".join(lines))
    pages = [page for page in source["urls"].items() if not _ASIDE.search(page[0])]
    if pages:
        parts.append(f"**Links:** {' · '.join(_link(*page) for page in pages[:MAX_LINKS])}")
    return parts


def _says_so_already(entry: Entry) -> bool:
    """Tell whether the project's own summary is one of the chosen sentences."""
    said = [sentence.casefold().rstrip(". ") for sentence in entry["summary"]]
    return entry["source"]["summary"].casefold().rstrip(". ") in said


def _telling_keywords(entry: Entry) -> list[str]:
    """Leave out the source's own name, which is its weightiest word and tells nothing."""
    name = entry["source"]["name"].lower()
    words = [keyword["word"] for keyword in entry["keywords"]]
    return [word for word in words if name not in (word, *word.split("-"))]


def _shared_words(entries: list[Entry]) -> list[tuple[str, list[str]]]:
    """Find the words that matter to several sources, and name those sources.

    The keywords alone would not do: they are chosen for what a source does *not* share with others.
    """
    sources: dict[str, list[str]] = {}
    mentions: dict[str, int] = {}
    for entry in entries:
        counts = word_counts(entry["source"]["readme"])
        chosen = {keyword["word"] for keyword in entry["keywords"]}
        for word in sorted(chosen | {word for word, count in counts.items() if count > 1}):
            sources.setdefault(word, []).append(entry["source"]["name"])
            # A source that is much longer than others must not decide alone what they have in common.
            mentions[word] = mentions.get(word, 0) + min(counts.get(word, 1), 5)
    shared = [(word, names) for word, names in sources.items() if len(names) > 1]
    shared.sort(key=lambda pair: (-len(pair[1]), -mentions[pair[0]], pair[0]))
    return shared[:MAX_SHARED]


def _link(label: str, address: str) -> str:
    # Encoding what could end the address keeps the rest of it from being read as Markdown.
    encoded = quote(visible(address), safe=":/?#@!$&'+,;=%~.-_")
    return f"[{_text(label)}]({encoded})"


def _text(value: str, *, most: int | None = None) -> str:
    """Quote ``value`` as one line of plain text in Markdown."""
    plain = " ".join(visible(value).split())
    if most is not None and len(plain) > most:
        plain = f"{plain[: most - 1].rstrip()}…"
    plain = re.sub(r"([\\`*\[\]<|~])", r"\\\1", plain)
    # An underscore within a word, and an ampersand on its own, are text anyway.
    plain = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", plain)
    plain = re.sub(r"&(?=#?\w+;)", r"\\&", plain)
    # What would make a heading, a quotation, a list or a rule at the beginning of a line.
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)|^([#+=>-])", _escape_opening, plain)


def _escape_opening(match: re.Match[str]) -> str:
    return f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}"
