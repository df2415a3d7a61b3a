"""reStructuredText: its blocks, and the text of its inline markup."""

from __future__ import annotations

import re

from .markup_blocks import LIST_ITEM, Block, Blocks, Literals, without_emphasis

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1+\s*$")

#: Directives whose content is part of the text.
_ADMONITIONS = {"attention", "caution", "danger", "hint", "important", "note", "tip", "warning"}


def rst_blocks(text: str) -> list[Block]:
    blocks = Blocks()
    styles: list[tuple[str, bool]] = []  # of headings, in the order of their levels
    lines = [line.rstrip() for line in text.split("\n")]
    content = 0  # the column at which the current paragraph begins
    at = 0

    def level(style: tuple[str, bool]) -> int:
        if style not in styles:
            styles.append(style)
        return styles.index(style) + 1

    while at < len(lines):
        line = lines[at]
        following = lines[at + 1] if at + 1 < len(lines) else ""
        indent = len(line) - len(line.lstrip())
        if not line:
            literal = bool(blocks.lines) and blocks.lines[-1].endswith("::")
            blocks.end_paragraph()
            at = _after_indented(lines, at, content) if literal else at + 1
        elif re.match(r"\s*\.\.(\s|$)", line):
            blocks.end_paragraph()
            directive = re.match(r"\s*\.\.\s+([\w-]+)\s*::\s*(.*)$", line)
            at += 1
            if directive and directive[1] in _ADMONITIONS:
                content = len(following) - len(following.lstrip())
                if directive[2]:
                    blocks.lines.append(directive[2])
            elif line.strip() != ".." or following:
                at = _after_indented(lines, at, indent)
        elif _RULE.match(line) and at + 2 < len(lines) and lines[at + 2] == line and following:
            blocks.heading(following.strip(), level((line[0], True)))
            at += 3
        elif re.match(r"\s*=+(\s+=+)+$", line):
            blocks.end_paragraph()
            at = _after_table(lines, at)
        elif _RULE.match(following) and len(following) >= min(len(line), 4) and not blocks.lines:
            blocks.heading(line.strip(), level((following[0], False)))
            at += 2
        elif not blocks.lines and line.lstrip().startswith(">>>"):
            while at < len(lines) and lines[at]:
                at += 1
        elif re.match(r"\s*(\+[-=]|\|(\s|$)|__ https?:|:[\w -]+:(\s|$))", line) or (
            len(line) >= 4 and _RULE.match(line)
        ):
            blocks.end_paragraph()
            at += 1
        elif item := LIST_ITEM.match(line):
            blocks.end_paragraph()
            content = item.end()
            blocks.lines.append(line[content:])
            at += 1
        else:
            if len(blocks.lines) == 1 and indent > content:
                blocks.end_paragraph()  # a term, of which the definition begins here
            if not blocks.lines:
                content = indent
            blocks.lines.append(line.strip())
            at += 1
    blocks.end_paragraph()
    return blocks.found


def _after_indented(lines: list[str], at: int, indent: int) -> int:
    """Skip empty lines and lines indented by more than ``indent``."""
    while at < len(lines) and (not lines[at] or len(lines[at]) - len(lines[at].lstrip()) > indent):
        at += 1
    return at


def _after_table(lines: list[str], at: int) -> int:
    """Skip a table that begins at ``at``: it ends at a border that an empty line follows."""
    border = lines[at].strip()
    for end in range(at + 1, len(lines)):
        if lines[end].strip() == border and (end + 1 == len(lines) or not lines[end + 1]):
            return end + 1
    return at + 1


def rst_inline(text: str) -> str:
    if re.fullmatch(r"`[^`]+`_{1,2}", text.strip()):
        return ""  # nothing but a link leads elsewhere, and says nothing here
    literals = Literals()
    text = re.sub(r"::$", ":", text)
    text = re.sub(r"``(?P<code>.+?)``", literals.put_aside, text, flags=re.DOTALL)
    text = re.sub(r"(?:(?<=\s)|^|(?<=\())(?::[a-zA-Z:+-]+:)(?=`)", "", text)  # roles
    text = re.sub(r"`[~!]?([^`<>]*?)\s*<[^<>`]*>`_{0,2}", r"\1", text)
    text = re.sub(r"`[~!]?([^`]+)`_{0,2}", r"\1", text)
    text = re.sub(r"\|[\w -]+\|_{0,2}", "", text)  # substitutions
    text = re.sub(r"\s?\[[#*\w-]+\]_", "", text)  # footnotes
    text = without_emphasis(text)
    text = re.sub(r"\b([A-Za-z0-9][\w.-]*[A-Za-z0-9])__?(?!\w)", r"\1", text)  # references
    text = re.sub(r"\\(\s|.)", lambda match: match[1].strip(), text)
    return literals.restore(re.sub(r"(?<=\s)---?(?=\s)", "–", text))
