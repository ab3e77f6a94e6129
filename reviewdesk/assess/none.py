"""Answers that mean none: "žádné nevidím" to "what was bad?", and "Cons: none so far" within a text. Pure.

The words stand in `languages/none.toml`, one small file for all languages, as people answer in another one than they
were told to; it is read when the first such answer, or the first text with blame in it, is met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Literal

import msgspec
import tomli

from reviewdesk.assess.folding import fold
from reviewdesk.assess.tokens import FOLDED, Memory, Tokens
from reviewdesk.assess.transliteration import TRANSLITERATED, in_cyrillic
from reviewdesk.model import Record

_WORDS_MOST = 12
_KINDS = ("none", "beside", "faults", "merits", "all", "fine", "joins")
# What may follow a heading: a colon, a dash or a line break.
_AFTER_HEADING = re.compile(r"\s*[:=\-–—]\s*|\s*\n\s*")

Field = Literal["pros", "cons"]


class Table(Record, frozen=True, kw_only=True):
    """The words of one language, or of two whose words people mix; `none.toml` tells what each key holds."""

    none: str
    beside: str
    faults: str
    merits: str
    all: str = ""
    fine: str = ""
    joins: str = ""
    answers: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = msgspec.field(default=(), name="except")


class Senses(msgspec.Struct, frozen=True, gc=False):
    """In which tables a word is of which kind, one bit a table."""

    none: int = 0
    beside: int = 0
    faults: int = 0
    merits: int = 0
    all: int = 0
    fine: int = 0
    joins: int = 0


class Tables:
    """All tables made ready.

    Args:
        tables: by language.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._whole: dict[str, dict[str, int]] = {}
        self._beginnings: dict[str, dict[str, int]] = {}
        answers: dict[str, int] = {}
        self._exceptions: list[tuple[str, int]] = []
        for place, table in enumerate(tables.values()):
            for kind in _KINDS:
                for entry in _bare(getattr(table, kind)).split():
                    known = self._beginnings if entry[-1] == "*" else self._whole
                    kinds = known.setdefault(entry.rstrip("*"), {})
                    kinds[kind] = kinds.get(kind, 0) | 1 << place
            for answer in map(_bare, table.answers):
                answers[answer] = answers.get(answer, 0) | 1 << place
            self._exceptions += [(f" {_bare(entry)} ", 1 << place) for entry in table.exceptions]
        self._answers: dict[int, set[str]] = {}
        for answer, places in answers.items():
            self._answers.setdefault(places, set()).add(answer)
        self._lengths = sorted({len(entry) for entry in self._beginnings})
        self.senses: Memory[Senses] = Memory(self._senses)
        # The first three letters show of most words in a text that they are no names of faults.
        begin = {entry[:3] for known in (self._whole, self._beginnings) for entry in known if "faults" in known[entry]}
        self._names_fault: Memory[bool] = Memory(
            lambda word: FOLDED[word][:3] in begin and self.senses[word].faults != 0
        )

    def _senses(self, written: str) -> Senses:
        word = FOLDED[written].replace("'", "")
        forms = {word}
        if word.isascii():  # "net", "nemae"
            forms |= {fold(in_cyrillic(word, language)).text for language in TRANSLITERATED}
        kinds: dict[str, int] = {}
        for form in forms:
            for found in (
                self._whole.get(form),
                *(self._beginnings.get(form[:length]) for length in self._lengths if length <= len(form)),
            ):
                for kind, places in (found or {}).items():
                    kinds[kind] = kinds.get(kind, 0) | places
        return Senses(**kinds) if kinds else _NO_SENSES

    def mean_none(self, words: Sequence[str], field: Field) -> bool:
        """Tells whether these words, which are an answer or a clause of it, mean none."""
        if not 0 < len(words) <= _WORDS_MOST:
            return False
        bare = [FOLDED[word].replace("'", "") for word in words]
        said = " ".join(bare)
        senses = [self.senses[word] for word in words]
        fits, denied, well, praised, beside = -1, 0, -1, 0, 0
        for one in senses:
            fits &= one.none | one.beside | (one.faults if field == "cons" else one.merits)
            denied |= one.none
            well &= one.beside | one.all | one.fine
            praised |= one.fine
            beside |= one.beside
        if fits & denied:
            ends_marked = f" {said} "
            for entry, places in self._exceptions:
                if entry in ends_marked:
                    fits &= ~places
        if fits & denied or (field == "cons" and well & praised):
            return True
        for places, answers in self._answers.items():
            if said in answers:
                return True
            if beside & places:
                left = [word for word, one in zip(bare, senses, strict=True) if not one.beside & places]
                if " ".join(left) in answers:
                    return True
        return False

    def name_faults(self, words: Sequence[str]) -> bool:
        """Tells whether one of these words is a name for what is bad."""
        return True in map(self._names_fault.__getitem__, words)

    def are_heading(self, words: Sequence[str]) -> bool:
        """Tells whether these words are only a name for what is bad: "Cons", "Main drawbacks", "Hátrányok"."""
        fits, named = -1, 0
        for word in words:
            one = self.senses[word]
            fits &= one.beside | one.faults
            named |= one.faults
        return bool(fits & named)


_NO_SENSES = Senses()


def _bare(entries: str) -> str:
    return fold(entries).text.replace("'", "")


@cache
def _tables() -> Tables:
    content = (resources.files("reviewdesk.assess") / "languages" / "none.toml").read_text("utf-8")
    return Tables(msgspec.convert(tomli.loads(content), dict[str, Table]))


def says_none(answer: Tokens, field: Field) -> bool:
    """Tells whether an answer to "what was good?" or "what was bad?" means "nothing" ("Žádné.", "-", "", "0").

    Each clause of it must, but for a heading ("Nevýhody: žádné"). Among the cons "all is well" means it too; among the
    pros it is praise.
    """
    if len(answer.words) > _WORDS_MOST:
        return False
    tables = _tables()
    clauses = _clauses(answer)
    if field == "cons" and len(clauses) > 1 and _is_heading(answer, clauses[0], clauses[1]):
        del clauses[0]
    return all(tables.mean_none(answer.words[first:end], field) for first, end in clauses)


def none_spans(tokens: Tokens) -> list[tuple[int, int]]:
    """Gives the spans of a text that say that nothing was bad: "No cons", "Nevýhody: žádné", "hátrányt nem láttam".

    Each is one clause, or what stands from an "and" in it to its end, that names faults and denies them, or a heading
    that names faults and the clause after it that means none; where that clause goes on ("Cons: none of it works"), it
    is none of these.
    """
    tables = _tables()
    if not tables.name_faults(tokens.words):
        return []
    clauses = _clauses(tokens)
    spans = []
    for place, (first, end) in enumerate(clauses):
        if not tables.name_faults(tokens.words[first:end]):
            continue
        if place + 1 < len(clauses) and _is_heading(tokens, (first, end), clauses[place + 1]):
            following, last = clauses[place + 1]
            if tables.mean_none(tokens.words[following:last], "cons"):
                spans.append((tokens.span(first, first)[0], tokens.span(last - 1, last - 1)[1]))
                continue
        for begin in (first, *(index for index in range(first, end) if tables.senses[tokens.words[index]].joins)):
            denial = tokens.words[begin + (begin != first) : end]
            if tables.name_faults(denial) and tables.mean_none(denial, "cons"):
                spans.append(tokens.span(begin, end - 1))
                break
    return spans


def _is_heading(tokens: Tokens, clause: tuple[int, int], following: tuple[int, int]) -> bool:
    """Tells whether a clause names what is bad and a colon, a dash or a line break stands between it and the next."""
    first, end = clause
    if not _tables().are_heading(tokens.words[first:end]):
        return False
    between = tokens.text[tokens.span(end - 1, end - 1)[1] : tokens.span(following[0], following[0])[0]]
    return _AFTER_HEADING.fullmatch(between) is not None


def _clauses(tokens: Tokens) -> list[tuple[int, int]]:
    """Gives the first word of each clause and the one after its last."""
    clauses = []
    first = 0
    for _, group in groupby(tokens.clauses):
        end = first + len(list(group))
        clauses.append((first, end))
        first = end
    return clauses
