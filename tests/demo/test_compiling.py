"""The document: what it says, and that text from packages stays text in it."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dramatiq_baton.demo.characters import visible
from dramatiq_baton.demo.compiling import Entry, compile_brief
from dramatiq_baton.demo.corpus import Licence, available_sources, fetch_source
from dramatiq_baton.demo.judging import Verdict, judge
from dramatiq_baton.demo.keywords import Keyword, keywords, word_counts
from dramatiq_baton.demo.ranking import summarise
from tests.demo.samples import make_entry, make_source


def parse(brief: str) -> list[str]:
    """List the kinds of everything in a brief, in the order of their appearance."""
    kinds = []
    for token in MarkdownIt().enable(["table", "strikethrough"]).parse(brief):
        kinds.append(token.type)
        kinds += [child.type for child in token.children or []]
    return kinds


def test_brief_says_everything() -> None:
    pot = make_source(name="pot", version="2.0", licence=Licence(name="", text=""), summary="Holds water.")
    brief = compile_brief("Kitchen", [make_entry(score=40), make_entry(pot, score=60)], ["pan"])
    assert brief == (
        "# Kitchen\n\n"
        "2 sources were read. Scores go from 40 (kettle) to 60 (pot) out of 100. "
        "1 source could not be read.\n\n"
        "## Sources\n\n"
        "| Source | Version | Licence | Score |\n"
        "| :--- | :--- | :--- | ---: |\n"
        "| pot | 2.0 | not stated | 60 |\n"
        "| kettle | 1.0 | MIT | 40 |\n\n"
        "## Common ground\n\n"
        "Words that matter to more than one source:\n\n"
        "- **water** – pot, kettle\n\n"
        "## pot 2.0\n\n"
        "*Holds water.*\n\n"
        "- Kettle boils water.\n\n"
        "**Keywords:** water\n\n"
        "**Verdict:** 60 out of 100\n\n"
        "- *For:* fast\n"
        "- *Against:* hot\n\n"
        "**Links:** [Documentation](https://docs.example) · [Source](https://github.com/x/kettle) · "
        "[Issues](https://github.com/x/kettle/issues)\n\n"
        "## kettle 1.0\n\n"
        "*Boils water.*\n\n"
        "- Kettle boils water.\n\n"
        "**Keywords:** water\n\n"
        "**Verdict:** 40 out of 100\n\n"
        "- *For:* fast\n"
        "- *Against:* hot\n\n"
        "**Links:** [Documentation](https://docs.example) · [Source](https://github.com/x/kettle) · "
        "[Issues](https://github.com/x/kettle/issues)\n\n"
        "## Not read\n\n"
        "These sources could not be read, so the brief says nothing about them:\n\n"
        "- pan\n"
    )


def test_brief_without_sources_says_so() -> None:
    assert compile_brief("", [], []) == "# Research brief\n\nNo sources were asked for.\n"
    assert "No source could be read." in compile_brief("", [], ["pan"])


def test_own_name_is_no_keyword() -> None:
    words = [Keyword(word=word, weight=1.0) for word in ("kettle", "kettle-py", "steam")]
    assert "**Keywords:** steam\n" in compile_brief("", [make_entry(keywords=words)], [])


def test_summary_that_is_a_chosen_sentence_is_not_repeated() -> None:
    entry = make_entry(make_source(summary="kettle boils water"))
    assert compile_brief("", [entry], []).lower().count("kettle boils water") == 1


def test_source_without_sentences_has_a_section() -> None:
    brief = compile_brief("", [make_entry(summary=[], keywords=[])], [])
    assert "no sentences" in brief
    assert "Keywords" not in brief


def test_links_lead_to_pages_about_the_software() -> None:
    urls = {"Funding": "https://money.example", "Docs": "https://docs.example/a_(b)[c]"}
    brief = compile_brief("", [make_entry(make_source(urls=urls))], [])
    assert "**Links:** [Docs](https://docs.example/a_%28b%29%5Bc%5D)\n" in brief


def test_words_common_to_most_sources_come_first() -> None:
    readmes = {
        "one": "Water water steam steam.",
        "two": "Water, water, steam, steam, whistle, whistle.",
        "six": "Water water.",
    }
    entries = [make_entry(make_source(name=name, readme=text), keywords=[]) for name, text in readmes.items()]
    brief = compile_brief("", entries, [])
    assert "- **water** – one, six, two\n- **steam** – one, two\n\n" in brief


@pytest.mark.parametrize(
    "attack",
    [
        "a | b",
        "\\| b",
        "a\nb\n# c",
        "# title",
        "- item",
        "1. item",
        "> quote",
        "---",
        "```",
        "~~~",
        "<script>alert(1)</script>",
        "<https://evil.example>",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/pixel.png)",
        "**bold** _em_ `code` ~~gone~~",
        "&lt;b&gt;",
        "trailing\\",
        "a](https://evil.example) [b",
        "\x1b[31mred\x07\u202e\u2028",
    ],
)
def test_text_from_packages_stays_text(attack: str) -> None:
    def brief(text: str) -> str:
        source = make_source(
            name=text, version=text, summary=text, licence=Licence(name=text, text=text),
            urls={text: f"https://x.example/{text}"},
        )  # fmt: skip
        verdict = Verdict(name=text, score=1, strengths=[text], doubts=[text])
        words = [Keyword(word=f"{text}s", weight=1.0)]
        entry = make_entry(source, summary=[f"{text} too"], keywords=words, verdict=verdict)
        return compile_brief(text, [entry, entry], [text])

    attacked = brief(attack)
    assert not [
        c for c in attacked if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2028")
    ]
    # Apart from how inline text is cut into pieces, the document is the same as with harmless text.
    pieces = {"text", "softbreak", "text_special"}
    assert [kind for kind in parse(attacked) if kind not in pieces] == [
        kind for kind in parse(brief("harmless")) if kind not in pieces
    ]


@settings(max_examples=40)
@given(st.text(alphabet="a1 |\\`*_[]()<>#!&;~-+=.:\n\x1b", max_size=30))
@example("a | b")
@example("\\| b")
@example("&lt;b&gt; &#124;")
@example("<b>*a*</b> _a_ `|`")
def test_cells_of_the_table_read_as_the_text_does(text: str) -> None:
    source = make_source(name=text, version=text, licence=Licence(name=text, text=""))
    tokens = MarkdownIt().enable("table").parse(compile_brief("", [make_entry(source)] * 2, []))
    cells = [
        "".join(child.content for child in inline.children or [])
        for opening, inline in pairwise(tokens)
        if opening.type == "td_open"
    ]
    plain = " ".join(visible(text).split())
    assert cells == [plain, plain, plain or "not stated", "50"] * 2


def test_long_text_is_cut_in_the_table() -> None:
    entry = make_entry(make_source(version="1" * 99))
    assert f"| kettle | {'1' * 39}… | MIT | 50 |\n" in compile_brief("", [entry], [])


def test_brief_on_installed_distributions() -> None:
    names = available_sources(6)
    # What this package depends on is installed wherever it is.
    assert names[:4] == ["dramatiq", "redis", "rich", "click"]
    assert names == available_sources(6)
    sources = [fetch_source(name) for name in names]
    counts = [word_counts(source["readme"]) for source in sources]
    entries: list[Entry] = []
    for index, source in enumerate(sources):
        others = counts[:index] + counts[index + 1 :]
        entries.append(
            Entry(
                source=source,
                summary=summarise(source["readme"]),
                keywords=keywords(counts[index], others),
                verdict=judge(source),
            )
        )
    for entry in entries:
        assert entry["source"]["licence"]["name"], entry["source"]["name"]
        assert entry["summary"], entry["source"]["name"]
        assert len(entry["keywords"]) == 8
        assert 50 <= entry["verdict"]["score"] <= 100
        text = " ".join(entry["summary"])
        assert not any(mark in text for mark in ("`", "](", "**", "::", "<", "shields.io", "http"))
    brief = compile_brief("Packages", entries, [])
    # Results of steps travel as JSON: nothing may change on the way.
    assert compile_brief("Packages", json.loads(json.dumps(entries)), []) == brief
    assert parse(brief).count("table_open") == 1
