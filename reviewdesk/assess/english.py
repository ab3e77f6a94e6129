"""English words by vaderSentiment, its rules unchanged, with the desk's own values for emoji.

This module imports vaderSentiment; `reviewdesk.assess.sentiment` imports it when the first English text is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from vaderSentiment.vaderSentiment import BOOSTER_DICT, SentimentIntensityAnalyzer, SentiText

from reviewdesk.assess import weights
from reviewdesk.assess.sentiment import Hit, signs


class _Words(SentimentIntensityAnalyzer):  # type: ignore[misc]  # vaderSentiment ships no types
    """VADER that hands out each word's value, and knows the desk's emoji."""

    def __init__(self) -> None:
        super().__init__()
        # As VADER reads 👍 as the words "thumbs up", which it does not know.
        self.lexicon.update(signs().emoji)

    # These two look at six words at most, but fold the whole text each time: they are given those words alone.

    @staticmethod
    def _negation_check(valence: float, words_and_emoticons: list[str], start_i: int, i: int) -> float:
        first = max(0, i - 3)
        near = words_and_emoticons[first : i + 1]
        return float(SentimentIntensityAnalyzer._negation_check(valence, near, start_i, i - first))

    @staticmethod
    def _special_idioms_check(valence: float, words_and_emoticons: list[str], i: int) -> float:
        near = words_and_emoticons[i - 3 : i + 3]
        return float(SentimentIntensityAnalyzer._special_idioms_check(valence, near, 3))

    def values(self, text: str) -> tuple[list[float], float]:
        """Gives the value of each blank-separated piece and the emphasis of "!" and "?", before VADER squashes them.

        This is `polarity_scores` without its search for emoji and its sums; most words are in no list and passed over.
        """
        sentence = SentiText(text)
        words = sentence.words_and_emoticons
        found: list[float] = []
        for index, word in enumerate(words):
            lowered = word.lower()
            kind_of = lowered == "kind" and index + 1 < len(words) and words[index + 1].lower() == "of"
            if lowered not in self.lexicon or lowered in BOOSTER_DICT or kind_of:
                found.append(0.0)
            else:
                self.sentiment_valence(0, sentence, word, index, found)
        return self._but_check(words, found), self._punctuation_emphasis(text)


_BLANK_SEPARATED = re.compile(r"\S+")


@cache
def _words() -> _Words:
    return _Words()


@cache
def _piece() -> re.Pattern[str]:
    emoji = re.escape("".join(signs().emoji))
    return re.compile(rf"[{emoji}]|[^\s{emoji}]+")


def english_hits(text: str) -> list[Hit]:
    """Gives the words and emoji that VADER values, in the order of the text; their shares are VADER's sum.

    Args:
        text: without links; only the first `weights.ENGLISH_MOST` characters and `weights.ENGLISH_EMOJI_MOST` emoji
            are read.
    """
    spans = list(_spans(text[: weights.ENGLISH_MOST]))
    pieces = [text[start:end].replace("’", "'") for start, end in spans]
    valences, emphasis = _words().values(" ".join(pieces))
    hits = [Hit(*span, valence, "VADER") for span, valence in zip(spans, valences, strict=True) if valence]
    total = sum(valences)
    if emphasis and total:
        start = max(text.find("!"), text.find("?"), 0)
        hits.append(Hit(start, start + 1, emphasis if total > 0 else -emphasis, "emphasis"))
    return hits


def _spans(text: str) -> Iterator[tuple[int, int]]:
    if text.isascii():
        yield from (match.span() for match in _BLANK_SEPARATED.finditer(text))
        return
    emoji, emoji_left = signs().emoji, weights.ENGLISH_EMOJI_MOST
    for match in _piece().finditer(text):
        if match.group() in emoji:
            emoji_left -= 1
            if emoji_left < 0:
                continue
        yield match.span()
