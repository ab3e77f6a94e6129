"""English words by vaderSentiment: its words, its tables and its rules, in one pass, with the desk's values for emoji.

`SentimentIntensityAnalyzer` folds the whole text for each word it looks at; the same rules are written here over pieces
that are looked up once. Tests hold both to the same sums for any order of words.
This module imports vaderSentiment; `reviewdesk.assess.sentiment` imports it when the first English text is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec
from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
    SentiText,
)

from reviewdesk.assess import weights
from reviewdesk.assess.lexicon import drawn_back, lexicon
from reviewdesk.assess.reading import Hit
from reviewdesk.assess.signs import signs
from reviewdesk.assess.tokens import Memory

_NEGATORS = frozenset(NEGATE)
# What the rules look for around a valued word, beside boosters and negators; each idiom and each booster of several
# words has one at least that is no small word.
_LOOKED_FOR = {word for idiom in (*SPECIAL_CASES, *BOOSTER_DICT) for word in idiom.split() if " " in idiom} - {
    "the",
    "of",
    "to",
    "for",
} | {"badass", "kind", "least", "no", "so", "this"}


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """What VADER knows of one blank-separated piece.

    Attributes:
        word: without the punctuation around it, in lower case.
        value: as in VADER's list; None where it is not in it, or passed over.
        boost: what it adds to the next words.
        ruled: a rule is about it, so that it may change what words near it are worth.
    """

    word: str
    value: float | None
    boost: float
    negates: bool
    capitals: bool
    ruled: bool


@cache
def _values() -> dict[str, float]:
    passed_over = lexicon("en").passed_over
    words = {word: value for word, value in SentimentIntensityAnalyzer().lexicon.items() if word not in passed_over}
    # As VADER reads 👍 as the words "thumbs up", which it does not know.
    return {**words, **signs().emoji}


def _piece(written: str) -> _Piece:
    stripped = SentiText._strip_punc_if_word(written.replace("’", "'"))
    word = _as_known(stripped.lower())
    boost, negates = BOOSTER_DICT.get(word, 0.0), word in _NEGATORS or "n't" in word
    ruled = boost != 0.0 or negates or word in _LOOKED_FOR
    return _Piece(word, _values().get(word), boost, negates, stripped.isupper(), ruled)


def _as_known(word: str) -> str:
    """Gives "terribleeee" as "terrible", which VADER does not; what it knows as it is written stays so."""
    values = _values()
    if word in values:
        return word
    for shorter in drawn_back(word):
        if shorter in values or shorter in BOOSTER_DICT:
            return shorter
    return word


_PIECES: Memory[_Piece] = Memory(_piece)


@cache
def _beside_emoji() -> re.Pattern[str]:
    emoji = re.escape("".join(signs().emoji))
    return re.compile(rf"[{emoji}]|[^\s{emoji}]+")


def english_hits(text: str) -> list[Hit]:
    """Gives the words and emoji that VADER values, in the order of the text; their shares are VADER's sum.

    Args:
        text: without links.
    """
    written = text.split() if text.isascii() else list(_with_emoji(text))
    pieces = list(map(_PIECES.__getitem__, written))
    valued = [place for place, piece in enumerate(pieces) if piece.value is not None]
    if not valued:
        return []
    valences = _valences(pieces, valued)
    hits: list[Hit] = []
    end = 0
    for one, valence in zip(written[: valued[-1] + 1], valences, strict=False):
        start = text.index(one, end)
        end = start + len(one)
        if valence:
            hits.append(Hit(start, end, valence, "VADER"))
    if "!" not in text and "?" not in text:
        return hits
    emphasis = SentimentIntensityAnalyzer._amplify_ep(text) + SentimentIntensityAnalyzer._amplify_qm(text)
    total = sum(valences)
    if total and emphasis:
        start = max(text.find("!"), text.find("?"), 0)
        hits.append(Hit(start, start + 1, emphasis if total > 0 else -emphasis, "emphasis"))
    return hits


def _with_emoji(text: str) -> Iterator[str]:
    emoji, left = signs().emoji, weights.ENGLISH_EMOJI_MOST
    for one in _beside_emoji().findall(text):
        left -= one in emoji
        if left >= 0 or one not in emoji:
            yield one


def _valences(pieces: list[_Piece], valued: list[int]) -> list[float]:
    valences = [0.0] * len(pieces)
    ruled = [piece.ruled for piece in pieces]
    capitals = [piece.capitals for piece in pieces].count(True)
    some_in_capitals = 0 < capitals < len(pieces)
    for place in valued:
        piece = pieces[place]
        if piece.value is None or piece.boost:
            continue
        if (piece.capitals and some_in_capitals) or True in ruled[max(place - 3, 0) : place + 3]:
            valences[place] = _valence(pieces, place, piece.value, some_in_capitals)
        else:
            valences[place] = piece.value
    words = [piece.word for piece in pieces]
    if "but" in words:
        but = words.index("but")
        # VADER finds each valence by its worth and so weighs the first of equal ones again.
        for valence in [valences[place] for place in valued if valences[place]]:
            place = valences.index(valence)
            if place != but:
                valences[place] *= 0.5 if place < but else 1.5
    return valences


def _valence(pieces: list[_Piece], place: int, value: float, some_in_capitals: bool) -> float:
    """`SentimentIntensityAnalyzer.sentiment_valence`."""
    piece = pieces[place]
    after = pieces[place + 1] if place + 1 < len(pieces) else None
    if piece.word == "kind" and after is not None and after.word == "of":
        return 0.0
    valence = value
    before = [pieces[place - back].word for back in range(1, min(place, 3) + 1)]
    if piece.word == "no" and after is not None and after.value is not None:
        valence = 0.0
    if "no" in before[:2] or (before[2:] == ["no"] and before[0] in ("or", "nor")):
        valence = value * N_SCALAR
    if piece.capitals and some_in_capitals:
        valence += C_INCR if valence > 0 else -C_INCR
    for back, fading in ((1, 1.0), (2, 0.95), (3, 0.9)):
        if back > place:
            break
        near = pieces[place - back]
        if near.value is not None:
            continue
        if near.boost:
            valence += fading * _boost(near, valence, some_in_capitals)
        if near.negates or back == 3:
            valence = _negation(pieces, place, back, valence)
        if back == 3:
            valence = _idioms(pieces, place, valence)
    if before and before[0] == "least" and pieces[place - 1].value is None and before[1:2] not in (["at"], ["very"]):
        valence *= N_SCALAR
    return valence


def _boost(piece: _Piece, valence: float, some_in_capitals: bool) -> float:
    boost = -piece.boost if valence < 0 else piece.boost
    if piece.capitals and some_in_capitals:
        boost += C_INCR if valence > 0 else -C_INCR
    return boost


def _negation(pieces: list[_Piece], place: int, back: int, valence: float) -> float:
    words = [piece.word for piece in pieces[place - back : place]]
    if back == 2 and words[0] == "never" and words[1] in ("so", "this"):
        return valence * 1.25
    if back == 3 and ((words[0] == "never" and words[1] in ("so", "this")) or words[2] in ("so", "this")):
        return valence * 1.25
    if back > 1 and words[0] == "without" and "doubt" in words[1:]:
        return valence
    return valence * N_SCALAR if pieces[place - back].negates else valence


def _idioms(pieces: list[_Piece], place: int, valence: float) -> float:
    three, two, one, zero, *following = (piece.word for piece in pieces[place - 3 : place + 3])
    for idiom in (f"{one} {zero}", f"{two} {one} {zero}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}"):
        if idiom in SPECIAL_CASES:
            valence = SPECIAL_CASES[idiom]
            break
    for end in range(1, len(following) + 1):
        valence = SPECIAL_CASES.get(" ".join((zero, *following[:end])), valence)
    for boost in (f"{three} {two} {one}", f"{three} {two}", f"{two} {one}"):
        valence += BOOSTER_DICT.get(boost, 0.0)
    return valence
