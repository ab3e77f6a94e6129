"""A text cut into words once, for the language and the sentiment alike. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Generic, TypeVar

import msgspec

from reviewdesk.assess.folding import Folded, fold, readable

_Value = TypeVar("_Value")

# Letters and digits with apostrophes inside; split by it, every second piece is a word.
_WORDS = re.compile(r"([^\W_]++(?:['’ʼ`][^\W_]++)*+)")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\S*@\w\S*", re.IGNORECASE)
_REMEMBERED = 50_000
LETTERS_MOST = 40


class Memory(dict[str, _Value], Generic[_Value]):
    """What a function gives for each word, by its first forty letters; forgets all when there are too many words.

    Args:
        found: the function.
    """

    def __init__(self, found: Callable[[str], _Value]) -> None:
        super().__init__()
        self._found = found

    def __missing__(self, word: str) -> _Value:
        if len(word) > LETTERS_MOST:
            return self[word[:LETTERS_MOST]]
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[word] = self._found(word)
        return value


FOLDED: Memory[str] = Memory(lambda word: fold(word).text)
"""A word without case and accents."""


class _Gap(msgspec.Struct, frozen=True, gc=False):
    """What stands between two words and ends a clause: does it end a sentence too, does it ask, how often does it
    exclaim."""

    sentence: bool
    asks: bool
    exclaims: int


_NONE = _Gap(False, False, 0)
_NONE_ASKED: frozenset[int] = frozenset()
_STOP = re.compile(r"[.!?…\n]")
_PAUSE = re.compile(r"[,;:()]|\s[-–—]+\s")


def _gap(between: str) -> _Gap:
    if _STOP.search(between):
        return _Gap(True, "?" in between, between.count("!"))
    return _Gap(False, False, 0) if _PAUSE.search(between) else _NONE


_GAPS: Memory[_Gap] = Memory(_gap)


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """A text cut into words.

    Attributes:
        text: the text with blanks in place of links, character for character.
        folded: `readable`, where it differs in length from the text; then `words` and `starts` come from it.
        words: as they are written.
        starts: where each begins.
        sentences, clauses: the number of the sentence and of the clause of each.
        questions: the numbers of the sentences that end with a question mark.
        exclamations: the place of the first exclamation mark, or -1; and how many there are.
    """

    text: str
    folded: Folded | None
    words: list[str]
    starts: list[int]
    sentences: list[int]
    clauses: list[int]
    questions: frozenset[int]
    exclamations: tuple[int, int]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Gives the span in the text of the words from `first` to `last`, both included."""
        start, end = self.starts[first], self.starts[last] + len(self.words[last])
        return (start, end) if self.folded is None else self.folded.span(start, end)

    def sentence_at(self, start: int) -> int:
        """Gives the number of the sentence in which a place of the text lies."""
        index = bisect_right(self.starts, start)
        return self.sentences[index - 1] if index else 0


def tokens_of(text: str) -> Tokens:
    """Cuts a text into words, clauses and sentences.

    Links, addresses and names ("@shop") are no words; and ":/" of "http://" is no sad face.
    """
    text = without_links(text)
    folded = readable(text)
    pieces = _WORDS.split(text if folded is None else folded.text)
    words = pieces[1::2]
    ends = list(accumulate(map(len, pieces)))
    sentences: list[int] = []
    clauses: list[int] = []
    questions: set[int] = set()
    exclamation, exclamations = -1, 0
    sentence = clause = 0
    for place, between in enumerate(pieces[2::2], 1):
        if between == " " or (gap := _GAPS[between]) is _NONE:
            continue
        if gap.exclaims:
            exclamations += gap.exclaims
            if exclamation < 0:
                exclamation = ends[2 * place - 1] + between.find("!")
        if gap.asks:
            questions.add(sentence)
        read = place - len(clauses)
        sentences += [sentence] * read
        clauses += [clause] * read
        sentence += gap.sentence
        clause += 1
    left = len(words) - len(clauses)
    sentences += [sentence] * left
    clauses += [clause] * left
    asked = frozenset(questions) if questions else _NONE_ASKED
    return Tokens(text, folded, words, ends[:-1:2], sentences, clauses, asked, (exclamation, exclamations))


def without_links(text: str) -> str:
    """Gives `text` with blanks in place of links, addresses and names, character for character."""
    if "://" not in text and "@" not in text and "www." not in text.lower():
        return text
    return _LINK.sub(lambda match: " " * len(match.group()), text)
