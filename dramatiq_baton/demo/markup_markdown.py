"""Markdown, and the HTML within it: its blocks, and the text of its inline markup."""

from __future__ import annotations

import html
import re

from .markup_blocks import LIST_ITEM, Block, Blocks, Literals, without_emphasis


def markdown_blocks(text: str) -> list[Block]:
    blocks = Blocks()
    content = 0  # the column at which the text of the current list item begins
    in_table = False
    for raw in _html_as_markdown(_without_fences(text)).split("\n"):
        line = re.sub(r"^\s{0,3}(?:>\s?)+", "", raw)
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            blocks.end_paragraph()
            in_table = False
        elif re.match(r"\s{0,3}\[[^\]]+\]:\s", line) or re.match(r"\s*\[![A-Z]+\]\s*$", line):
            blocks.end_paragraph()  # the target of links, or the name of a call-out
        elif heading := re.match(r" {0,3}(#{1,6})\s+(.*?)[\s#]*$", line):
            content = 0
            blocks.heading(heading[2], len(heading[1]))
        elif len(blocks.lines) == 1 and (underline := re.match(r" {0,3}(==+|--+)\s*$", line)):
            blocks.heading(blocks.lines.pop(), 1 if underline[1][0] == "=" else 2)
        elif re.match(r" {0,3}([-*_])(?:\s*\1){2,}\s*$", line):
            content = 0
            blocks.end_paragraph()
        elif re.match(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$", line):
            blocks.lines.clear()  # the head of a table
            in_table = True
        elif in_table or line.lstrip().startswith("|"):
            continue
        elif (item := LIST_ITEM.match(line)) and indent < content + 4:
            blocks.end_paragraph()
            content = item.end()
            blocks.lines.append(line[content:])
        elif not blocks.lines and indent >= content + 4:
            continue  # code, by its indentation
        else:
            if not blocks.lines and indent < content:
                content = 0
            blocks.lines.append(line.strip())
    blocks.end_paragraph()
    return blocks.found


def _without_fences(text: str) -> str:
    """Drop fenced code; a fence that is never closed takes the rest of the text with it, as it should."""
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r"\s*(?:>\s?)*(`{3,}|~{3,})(.*)$", line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and "`" not in mark[2]:
            fence = mark[1]
            # A rule in place of code that is not part of a list: it ends the list, as the code does.
            kept += [""] if line[0] in " >" else ["", "***"]
        else:
            kept.append(line)
    return "\n".join(kept)


def _html_as_markdown(text: str) -> str:
    """Replace the HTML that gives a text its structure; the rest goes with the inline markup."""
    flags = re.IGNORECASE | re.DOTALL
    text = re.sub(r"<!--.*?-->", "", text, flags=flags)
    text = re.sub(r"(?<!`)<(pre|script|style|svg|table|picture)\b.*?</\1>", "\n\n", text, flags=flags)
    text = re.sub(
        r"(?<!`)<h([1-6])\b[^>]*>(.*?)</h\1>",
        lambda match: f"\n\n{'#' * int(match[1])} {' '.join(match[2].split())}\n\n",
        text,
        flags=flags,
    )
    text = re.sub(r"<summary>(.*?)</summary>", r"\n\n###### \1\n\n", text, flags=flags)
    return re.sub(r"(?<!`)</?(p|div|br|hr|li|ul|ol|details|center)\b[^<>]*>", "\n\n", text, flags=flags)


def markdown_inline(text: str) -> str:
    literals = Literals()
    text = re.sub(r"(?<!`)(`+)(?!`)(?P<code>.+?)(?<!`)\1(?!`)", literals.put_aside, text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\](\([^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\])", "", text)  # images
    link = r"\[([^\[\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)*\)"
    if re.fullmatch(link, text.strip()):
        return ""  # nothing but a link leads elsewhere, and says nothing here
    text = re.sub(link, r"\1", text)
    text = re.sub(r"\[\]\[[^\[\]]*\]", "", text)  # links on images
    text = re.sub(r"\[([^\[\]]+)\](?:\s?\[[^\[\]]*\])?", r"\1", text)  # links by reference
    text = re.sub(r"\s*<[^\s<>@]+@[^\s<>]+>", "", text)  # addresses of people
    text = re.sub(r"<(https?://[^\s<>]+)>", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][a-zA-Z0-9-]*(\s[^<>]*)?/?>", "", text)
    text = re.sub(r"(?<!\S):[a-z0-9_+-]+:(?!\S)", "", text)  # pictographs by name
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", without_emphasis(text))
    return literals.restore(html.unescape(text))
