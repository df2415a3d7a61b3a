"""Descriptions of packages as plain paragraphs, without code, badges, tables and asides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .characters import visible
from .markup_blocks import Block
from .markup_markdown import markdown_blocks, markdown_inline
from .markup_rst import rst_blocks, rst_inline

#: Sections about the project's people, money and history; they say nothing about what the software does.
_ASIDES = re.compile(
    r"""sponsor | backer | donat | fund(ing|ed)\b | enterprise | tidelift | ^support(?!ed|s\b)
      | ^licen[cs] | \blicen[cs]e$ | copyright | ^disclaimer
      | change\s?log | ^changes\b | \bhistory\b | ^news | ^(release|version)\s+(notes|info) | what'?s\s+new
      | breaking\s+changes
      | contribut | conduct | ^authors? | ^credits | acknowledg | testimonials | who'?s\s+using | ^contact
      | ^maintainers? | ^bugs | ^community | ^(getting\s+|get\s+)?help | ^security\s+(contact|policy|issues)
      | \blinks?$ | ^(table\s+of\s+)?contents""",
    re.IGNORECASE | re.VERBOSE,
)

#: Paragraphs of that kind outside such sections.
_ASIDE = re.compile(r"tidelift|\b(sponsor|donat)|report.{1,12}vulnerabilit", re.IGNORECASE)


def clean_description(text: str, content_type: str = "") -> str:
    """Turn Markdown or reStructuredText into plain paragraphs, without code, badges, tables and asides."""
    text = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
    if _is_markdown(text, content_type):
        blocks, inline = markdown_blocks(text), markdown_inline
    else:
        blocks, inline = rst_blocks(text), rst_inline
    plain = [Block(" ".join(visible(inline(block.text)).split()), block.level) for block in blocks]
    return "\n\n".join(block.text for block in _without_asides(plain) if _says_something(block.text))


def _is_markdown(text: str, content_type: str) -> bool:
    if "markdown" in content_type:
        return True
    # Text of no stated type is reStructuredText by the standard, but not always in fact.
    return "rst" not in content_type and bool(re.search(r"^(#{1,6} |```)|\]\(https?://", text, re.MULTILINE))


def _says_something(text: str) -> bool:
    if not re.search(r"[^\W\d_]{2}", text) or _ASIDE.search(text):
        return False
    # What is left of a row of links to other pages is a few words between separators.
    links = re.split(r"[|•·]", text)
    if len(links) > 1 and len(text.split()) <= 4 * len(links):
        return False
    return not re.match(r"([\w-]+\s?){0,3}:?\s*https?://\S+$", text)


def _without_asides(blocks: list[Block]) -> Iterator[Block]:
    """Drop the sections that are not about the software, with their subsections."""
    dropping = 0
    titled = False
    for block in blocks:
        if block.level and block.level <= (dropping or block.level):
            # The first heading is the title, whatever the project is called, unless it is a section's.
            is_title = not titled and block.level == 1
            dropping = block.level if _ASIDES.search(block.text) and not is_title else 0
            titled = True
        if not dropping:
            yield block
