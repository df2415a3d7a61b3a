"""The sources of a research brief: what installed distributions say about themselves.

Everything is read from ``importlib.metadata``, so the demo has real input of some length without a network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from typing import TypedDict

from .characters import one_line, shorten
from .markup import clean_description

#: Distributions that make a good brief, in the order in which they are offered.
WELL_KNOWN = ("dramatiq", "redis", "rich", "click", "structlog", "msgpack", "hypothesis", "pytest")

#: How much of a description is looked at; some carry the change log of a decade.
MAX_DESCRIPTION = 100_000

#: How much cleaned text a source keeps. It travels as a step's result, and results should stay small.
MAX_README = 20_000

#: How much of a licence's text a source keeps.
MAX_LICENCE_EXCERPT = 400


class UnreadableSource(Exception):
    """There is no such distribution, or it has no text to read."""


class Licence(TypedDict):
    """The terms of a distribution; both values are empty if it states none."""

    name: str
    text: str


class Source(TypedDict):
    """What one distribution says about itself."""

    name: str
    version: str
    summary: str
    readme: str  #: Plain text, one paragraph per line, with an empty line between paragraphs.
    licence: Licence
    urls: dict[str, str]
    requires: list[str]  #: What it always needs; requirements of extras are left out.
    requires_python: str
    classifiers: list[str]
    words: int  #: The length of ``readme``.


def available_sources(limit: int = 6) -> list[str]:
    """Name up to ``limit`` installed distributions that ``fetch_source`` can read.

    Well known ones come first, then those with the longest descriptions.
    """
    lengths: dict[str, int] = {}
    for distribution in metadata.distributions():
        about = _read_metadata(distribution)
        if about is not None and about.name:
            # The first of two distributions of one name is the one that can be imported.
            lengths.setdefault(_canonical(about.name), len(about.description))
    others = sorted(lengths.keys() - set(WELL_KNOWN), key=lambda name: (-lengths[name], name))
    chosen: list[str] = []
    for name in [*(known for known in WELL_KNOWN if known in lengths), *others]:
        if len(chosen) >= limit:
            break
        try:
            chosen.append(fetch_source(name)["name"])
        except UnreadableSource:
            continue
    return chosen


def fetch_source(name: str) -> Source:
    """Read the distribution called ``name``.

    Raises:
      UnreadableSource: If there is no such distribution, or its description has no readable text.
    """
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError) as error:  # ValueError: an empty name
        raise UnreadableSource(f"no distribution called {name!r} is installed") from error
    about = _read_metadata(distribution)
    if about is None:
        raise UnreadableSource(f"the metadata of {name!r} cannot be read")
    readme = shorten(clean_description(about.description, about.content_type), MAX_README)
    if not readme:
        raise UnreadableSource(f"{name!r} has no readable description")
    return Source(
        name=one_line(about.name) or name,
        version=one_line(about.version),
        summary=one_line(about.summary),
        readme=readme,
        licence=Licence(name=_licence_name(about), text=_licence_text(distribution)),
        urls=_urls(about),
        requires=[one_line(value) for value in about.requires if not re.search(r";.*\bextra\b", value)],
        requires_python=one_line(about.requires_python),
        classifiers=[one_line(value) for value in about.classifiers],
        words=len(readme.split()),
    )


# --- Metadata ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _About:
    """The fields of a distribution's metadata that are used here; what is not given is empty."""

    name: str
    version: str
    summary: str
    description: str
    content_type: str
    licence: str
    licence_expression: str
    requires_python: str
    home_page: str
    urls: list[str]
    requires: list[str]
    classifiers: list[str]


def _read_metadata(distribution: metadata.Distribution) -> _About | None:
    """Read the fields, or return ``None`` where an installation is damaged."""
    try:
        message = distribution.metadata
        fields = {key: [str(value) for value in message.get_all(key) or []] for key in set(message)}
    except (OSError, ValueError, TypeError, AttributeError, metadata.PackageNotFoundError):
        return None
    every = {key.lower(): values for key, values in fields.items()}

    def first(key: str) -> str:
        value = (every.get(key) or [""])[0].strip()
        # Old build tools wrote this word where nothing was given.
        return "" if value == "UNKNOWN" else value

    return _About(
        name=first("name"),
        version=first("version"),
        summary=first("summary"),
        description=first("description")[:MAX_DESCRIPTION],
        content_type=first("description-content-type"),
        licence=first("license"),
        licence_expression=first("license-expression"),
        requires_python=first("requires-python"),
        home_page=first("home-page"),
        urls=every.get("project-url", []),
        requires=every.get("requires-dist", []),
        classifiers=every.get("classifier", []),
    )


def _canonical(name: str) -> str:
    """Spell a name as the packaging standards compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _urls(about: _About) -> dict[str, str]:
    """Map the labels of a project's pages to their addresses."""
    pairs = [("Homepage", about.home_page)] if about.home_page else []
    for value in about.urls:
        label, _, address = value.partition(",")
        pairs.append((label, address))
    urls = {one_line(label): one_line(address) for label, address in pairs}
    return {label: address for label, address in urls.items() if re.match(r"https?://\S+$", address)}


def _licence_name(about: _About) -> str:
    """Name the licence as briefly as the metadata allows."""
    if about.licence_expression:
        return one_line(about.licence_expression)
    # Some projects put the whole text of the licence into this field: its first line is its name, at best.
    stated = one_line(about.licence.split("\n")[0])
    if stated and len(stated) <= 40:
        return _without_the_word_licence(stated)
    names = []
    for classifier in about.classifiers:
        parts = [part.strip() for part in classifier.split("::")]
        if parts[0] == "License" and parts[-1] not in ("License", "OSI Approved"):
            short = re.search(r"\(([^()]+)\)$", parts[-1])
            names.append(short[1] if short else _without_the_word_licence(parts[-1]))
    return one_line(" OR ".join(names))


def _without_the_word_licence(name: str) -> str:
    return re.sub(r"(?:\s+software)?\s+licen[cs]e$", "", name, flags=re.IGNORECASE)


def _licence_text(distribution: metadata.Distribution) -> str:
    """Read the beginning of the licence that the distribution was installed with."""
    for path in distribution.files or []:
        # Licences of bundled projects lie elsewhere, and a path is not to lead out of the installation.
        if ".." in path.parts or not path.parts[0].endswith((".dist-info", ".egg-info")):
            continue
        if re.match(r"licen[cs]e|copying", path.name, re.IGNORECASE):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, ValueError):
                continue
            plain = re.sub(r"[=*_-]{4,}", " ", text[: 10 * MAX_LICENCE_EXCERPT])
            return shorten(one_line(plain), MAX_LICENCE_EXCERPT)
    return ""
