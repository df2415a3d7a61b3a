"""Descriptions of packages become plain paragraphs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dramatiq_baton.demo.characters import visible
from dramatiq_baton.demo.markup import clean_description

MARKDOWN = """\
<p align="center"><img src="https://x.example/logo.png" alt="the logo" /></p>

# Kettle

[![Build](https://ci.example/badge.svg)](https://ci.example) [![PyPI][pypi-badge]][pypi-link]

[Install](#install) | [Usage](#usage)

*Kettle* is a **fast** library for `boiling_water` in [large pots](https://pots.example/a_(b)).
It never
boils over &mdash; not even <b>once</b>.<!-- a secret --> 🎉

| Column | Other |
| --- | --- |
| cell | cell |

- First item with [a reference][ref].
  It continues here.
- Second item

      code in an item

```python
import kettle
```

~~~
tilde_code()
~~~

    indented_code()

Setext heading
--------------

> [!NOTE]
> Quoted text stays.

## Sponsors

Money is nice.

### Gold

More money.

## Usage

Put it on.

[ref]: https://ref.example
"""

RST = """\
======
Kettle
======

.. image:: https://ci.example/badge.svg
   :target: https://ci.example

.. a comment
   of two lines

``Kettle`` is a *fast* library for `large pots <https://pots.example>`_ and pans_.
See :class:`~kettle.Kettle` |version| for the |rest|_ [1]_.

An example::

    import kettle

    kettle.boil()

.. code-block:: python

    directive_code()

.. note:: Mind
   the steam.

>>> kettle.doctest()
True

Features
--------

- First item
  continues here.
- Second item

===== =====
table head
===== =====
cell  cell
===== =====

+------+------+
| grid | cell |
+------+------+

Changelog
---------

Removed everything.

1.0
~~~

Even more.

Usage
-----

Put it on.

.. _pans: https://pans.example
.. |version| replace:: 1
"""


def test_markdown_becomes_plain_paragraphs() -> None:
    assert clean_description(MARKDOWN, "text/markdown").split("\n\n") == [
        "Kettle",
        "Kettle is a fast library for boiling_water in large pots. It never boils over — not even once.",
        "First item with a reference. It continues here.",
        "Second item",
        "Setext heading",
        "Quoted text stays.",
        "Usage",
        "Put it on.",
    ]


def test_restructuredtext_becomes_plain_paragraphs() -> None:
    assert clean_description(RST, "text/x-rst; charset=UTF-8").split("\n\n") == [
        "Kettle",
        "Kettle is a fast library for large pots and pans. See kettle.Kettle for the .",
        "An example:",
        "Mind the steam.",
        "Features",
        "First item continues here.",
        "Second item",
        "Usage",
        "Put it on.",
    ]


def test_text_of_no_stated_type_is_recognised() -> None:
    assert clean_description(MARKDOWN) == clean_description(MARKDOWN, "text/markdown")
    assert clean_description(RST) == clean_description(RST, "text/x-rst")


def test_markup_within_code_is_text() -> None:
    assert clean_description("Use `__init__`, `*args*` and `<b>`.", "text/markdown") == (
        "Use __init__, *args* and <b>."
    )
    assert clean_description("Use ``__init__`` and ``*args*``.", "text/x-rst") == ("Use __init__ and *args*.")


def test_title_is_kept_even_if_it_is_named_like_an_aside() -> None:
    assert clean_description("# Changelog\n\nWrites logs.", "text/markdown") == "Changelog\n\nWrites logs."


def test_unclosed_fence_takes_the_rest() -> None:
    assert clean_description("Before.\n\n```\ncode\n\nmore code", "text/markdown") == "Before."


def test_characters_that_hide_something_are_dropped() -> None:
    hidden = "a\x1b[31mb\x1b]0;title\x07c\x00d\u202ee\u200bf\x9bg"
    assert visible(hidden) == "abcdefg"
    # An entity must not bring back what was dropped.
    assert clean_description("Red &#27;[31m text.", "text/markdown") == "Red [31m text."


@settings(max_examples=40)
@given(st.text(alphabet="ab .:`*_#|<>[]()!-=+\n\\&;\x00\x1b", max_size=200), st.sampled_from(["md", "rst"]))
def test_any_text_can_be_cleaned(text: str, kind: str) -> None:
    cleaned = clean_description(text, "text/markdown" if kind == "md" else "text/x-rst")
    assert not set(cleaned) & {"\x00", "\x1b"}
