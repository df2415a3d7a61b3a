"""The words that set a text apart from others, by TF-IDF."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TypedDict


class Keyword(TypedDict):
    """A word, and how much it sets its text apart; weights of one text compare with each other only."""

    word: str
    weight: float


#: English words that say nothing about a subject.
_COMMON = """
    a able about above across actual actually add added additional additionally adds after again against aim
    aims all allow allowed allowing allows almost along already also although always am among an and another
    any anything appropriate are aren't around as at available away back based be because been before
    behaves behaving behavior behaviour being below best better between bit both bring built but by call
    called can can't cannot case cases caused certain change changed come comes common complete completely
    comprehensive considered contain contains correctly could couldn't create created creates creating
    creation current currently default depending describe described detailed details did didn't different
    directly do does doesn't doing don't done down due during each ease easily easy effectively either else
    enough ensure entire especially etc even ever every everything exactly example examples existing
    explicitly extra fact false familiar far feature features few file files find first following for free
    from full fully fun function functions further general get gets getting give given gives go goes going
    good got great had hand handle handled hard has hasn't have haven't having he help helpful helps hence
    her here here's high highly his how however hundred i i'd i'll i'm i've if important in inability
    include included includes including inside instead intended into is isn't it it's item items its itself
    just keep kind know known large larger last later latest learn least less let let's lets like likely
    line little long look lot lots low made main mainly maintained major make makes making manage many may
    maybe me means method methods might million more most much multiple must my name named names nearly
    necessary need needed needs never new next no non none nor not notable note nothing now number of off
    often old on once one ones only option optional options or order original other others otherwise our
    ours out over own part particular particularly people per perhaps place plain please point points
    popular possible potentially powerful prevent preventing prevents previous problem problems proper
    properly provide provided provides providing purpose put quick quickly quite rather read really receive
    recent recommend recommended regardless related release releases remember replace require required
    requires respectively result results return returns right run running runs said same say says second see
    sensible separate set sets several shall she short should shouldn't show shown similar similarly simple
    simplest simply since single slightly small so some something soon special specific specified specify
    standard start started starting starts state states step still such suitable support supported
    supporting supports sure take taken takes ten than thank thanks that that's the their them then there
    there's thereby therefore these they they're thing things think this those though three through thus
    time times to together too top true try two type types typically under understand until up upon us usage
    use used useful user users uses using usually value values various very via want wants was wasn't way
    ways we we'll we're we've well were weren't what what's whatever when where whether which while who
    whole whose why will with within without won't word work working works would wouldn't write written yes
    yet you you'd you'll you're you've your yours zero
"""

#: Words that every package uses about itself.
_OF_PACKAGES = """
    api application applications argument arguments class classes code default defaults docs documentation
    features getting-started github guide hello http https implementation implementations implemented
    install installation installed installing libraries library module modules object objects out-of-the-box
    package packages pip project projects pypi python quickstart readme repository section tutorial version
    versions www
"""

STOP_WORDS = frozenset([*_COMMON.split(), *_OF_PACKAGES.split()])

_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|\S+@\S+\.\w+")

#: What looks like code: calls, options, paths, and names with dots or underscores in them.
_CODE = re.compile(r"\S*\w\(\S*|(?<!\S)--?\w\S*|\S*[/\\=]\S*|\S*\w\.[^\W\d]\S*|\S*_\S*|\S*[{}<>$]\S*")

_WORD = re.compile(r"[^\W\d_](?:[\w+#]|['-](?=\w))+")


def word_counts(text: str) -> dict[str, int]:
    """Count the words of ``text`` that carry a meaning, in lower case and in the order of their appearance.

    Code and addresses are no words.
    """
    prose = _CODE.sub(" ", _ADDRESS.sub(" ", text.replace("’", "'")))
    counts: Counter[str] = Counter()
    for match in _WORD.finditer(prose.lower()):
        word = match[0].removesuffix("'s")
        # Many digits make the name of a commit or the like.
        if len(word) > 2 and word not in STOP_WORDS and len(re.findall(r"\d", word)) < 5:
            counts[word] += 1
    # Only a plural of which the singular is there too: stripping any "s" would turn Redis into "redi".
    for word in [word for word in counts if word.endswith("s") and word[:-1] in counts]:
        counts[word[:-1]] += counts.pop(word)
    return dict(counts)


def keywords(counts: dict[str, int], others: list[dict[str, int]], *, count: int = 8) -> list[Keyword]:
    """Choose the words of a text that are frequent in it and rare in the other texts, weightiest first.

    Among words of one weight, those that appear earlier come first: a text begins with its subject.

    Parameters:
      counts: The words of the text, from ``word_counts``.
      others: The words of each of the other texts.
      count: How many words to choose, at most.
    """
    most = max(counts.values(), default=1)
    texts = len(others) + 1
    weights: dict[str, float] = {}
    for word, occurrences in counts.items():
        containing = 1 + sum(word in other for other in others)
        # One more text than there is keeps the weight above 0 where every text has the word.
        rarity = math.log((1 + texts) / containing)
        # Logarithms, since ten mentions are not ten times as telling as one.
        weights[word] = rarity * (1 + math.log(occurrences)) / (1 + math.log(most))
    chosen: dict[str, Keyword] = {}
    for word, weight in sorted(weights.items(), key=lambda pair: -pair[1]):
        if len(chosen) < count:
            # Of "unpack", "unpacker" and "unpacking", one is enough.
            chosen.setdefault(_stem(word), Keyword(word=word, weight=round(weight, 4)))
    return list(chosen.values())


def _stem(word: str) -> str:
    """Cut the endings that most often make the difference between forms of one word."""
    stem = re.sub(r"(ations?|ings?|ers?|ors?|ed|ies|es|s|y|e)$", "", word)
    return stem if len(stem) >= 4 else word
