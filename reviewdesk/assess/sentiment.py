"""What a text's words, phrases, emoji and emoticons say, each with its place and its share. Pure.

English words are VADER's business (`reviewdesk.assess.english`); every other language is read here by VADER's rules
over the language's own data. Phrases and the question rule are the same for all.
"""

from __future__ import annotations

import re
import sys
import tomllib
from bisect import bisect_right
from collections import Counter
from functools import cache
from importlib import resources
from typing import NamedTuple

from reviewdesk.assess import weights
from reviewdesk.assess.folding import Folded, fold
from reviewdesk.assess.lexicon import NOTHING, Known, Lexicon, lexicon
from reviewdesk.model import Severity, Topic

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SAME_SIGN_MOST = 3


class Hit(NamedTuple):
    """One piece of a text that says something.

    Attributes:
        start, end: its span in the text.
        share: its part of the sum.
        note: why it counts.
        severity: given where it is a complaint phrase.
        courtesy: a greeting or thanks.
        sentence: the number of its sentence.
    """

    start: int
    end: int
    share: float
    note: str = ""
    topic: Topic | None = None
    severity: Severity | None = None
    courtesy: bool = False
    sentence: int = 0


class TextReading(NamedTuple):
    """What was read from one text.

    Attributes:
        hits: in the order of the text.
        question: it asks something and holds no complaint phrase.
        words: how many words were looked at.
    """

    hits: tuple[Hit, ...] = ()
    question: bool = False
    words: int = 0

    @property
    def total(self) -> float:
        """The sum of all shares."""
        return sum(hit.share for hit in self.hits)

    @property
    def severity(self) -> Severity:
        """The worst complaint phrase's severity."""
        return max((hit.severity for hit in self.hits if hit.severity), key=lambda one: one.rank, default=Severity.NONE)


class Signs(NamedTuple):
    """The emoji and emoticons that every language shares.

    Attributes:
        emoji: value by character.
        emoticons: value by folded sign.
        found: finds them in a folded text, each by the name of its group.
        hint: finds a character without which there is none of them, but for "xd".
    """

    emoji: dict[str, float]
    emoticons: dict[str, float]
    found: re.Pattern[str]
    hint: re.Pattern[str]


@cache
def signs() -> Signs:
    """Gives the emoji and emoticons of `languages/neutral.toml`."""
    data = tomllib.loads((resources.files("reviewdesk.assess") / "languages" / "neutral.toml").read_text("utf-8"))
    emoji = {sign[0]: group["valence"] for group in data["emoji"] for sign in group["signs"].split()}
    emoticons = {fold(sign).text: group["valence"] for group in data["emoticons"] for sign in group["signs"].split()}
    by_length = sorted(emoticons, key=len, reverse=True)
    alternatives = "|".join(
        ("(?<!\\w)" if one[0].isalnum() else "") + re.escape(one) + ("(?!\\w)" if one[-1].isalnum() else "")
        for one in by_length
    )
    every = re.escape("".join(emoji))
    found = re.compile(
        rf"(?P<emoticon>{alternatives})|(?P<emoji>[{every}])|(?P<smile>\)\)+)|(?P<frown>\(\(+)",
    )
    return Signs(emoji, emoticons, found, re.compile("[:;=()<>^_@\u203c-\U0010ffff]"))


_BESIDE_WORDS = frozenset(("emoji", "emoticon", "emphasis", "topic"))
_TOKEN = re.compile(r"(?P<word>[^\W_]+(?:'[^\W_]+)*)|(?P<stop>[.!?…\n]+)|(?P<pause>[,;:()]|\s[-–—]+\s)")


class _Pieces:
    """A text cut into words, with the clause and sentence of each."""

    def __init__(self, text: str, folded: Folded, words: Lexicon | None) -> None:
        self.tokens: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.known: dict[int, Known] = {}
        self.clauses: list[int] = []
        self.sentences: list[int] = []
        self.questions: set[int] = set()
        self.exclamations: list[tuple[int, int]] = []
        clause = sentence = 0
        for match in _TOKEN.finditer(folded.text):
            kind, piece = match.lastgroup, match[0]
            if kind == "word":
                span = match.span()
                if words is not None:
                    start, end = span if folded.offsets is None else folded.span(*span)
                    known = words.known(text[start:end], piece)
                    if known is not NOTHING:
                        self.known[len(self.tokens)] = known
                self.tokens.append(piece.replace("'", "") if "'" in piece else piece)
                self.spans.append(span)
                self.clauses.append(clause)
                self.sentences.append(sentence)
            elif kind == "pause":
                clause += 1
            else:
                if "?" in piece:
                    self.questions.add(sentence)
                if "!" in piece:
                    self.exclamations.append(folded.span(*match.span()))
                clause += 1
                sentence += 1

    def sentence_at(self, start: int) -> int:
        """Gives the number of the sentence at a position of the folded text."""
        index = bisect_right(self.spans, (start, sys.maxsize))
        return self.sentences[index - 1] if index else 0


def _signs_in(folded: Folded) -> list[Hit]:
    """Gives emoji, emoticons and runs of brackets; the same sign counts three times at most."""
    shared = signs()
    if not shared.hint.search(folded.text) and "xd" not in folded.text:
        return []
    seen: Counter[str] = Counter()
    hits = []
    for match in shared.found.finditer(folded.text):
        kind, sign = str(match.lastgroup), match.group()
        seen[sign] += 1
        if seen[sign] > _SAME_SIGN_MOST:
            continue
        if kind in ("smile", "frown"):
            value = min(len(sign) * 0.5, 2.0) * (1 if kind == "smile" else -1)
        else:
            value = shared.emoji[sign] if kind == "emoji" else shared.emoticons[sign]
        hits.append(Hit(*folded.span(*match.span()), value, note="emoji" if kind == "emoji" else "emoticon"))
    return hits


def without_links(text: str) -> str:
    """Gives `text` with blanks in place of links, character for character: ":/" of "http://" is no sad face."""
    if "://" not in text and "www." not in text.lower():
        return text
    return _LINK.sub(lambda match: " " * len(match.group()), text)


def read_text(text: str, language: str, lexicon_name: str | None) -> TextReading:
    """Reads one text.

    Args:
        text: any text; only the first `weights.TEXT_MOST` characters are read.
        language: what it is written in; "en" goes to VADER.
        lexicon_name: the data file of that language; None where there is none, then only signs are read.
    """
    text = without_links(text[: weights.TEXT_MOST])
    if not text or text.isspace():
        return TextReading()
    folded = fold(text)
    words = lexicon(lexicon_name) if lexicon_name else None
    pieces = _Pieces(text, folded, words)
    hits = _phrases_and_words(text, folded, pieces, words) if words else []
    if language == "en":
        from reviewdesk.assess.english import english_hits

        taken = [(hit.start, hit.end) for hit in hits if hit.share]
        others = (
            hit for hit in english_hits(text) if not any(hit.start < end and start < hit.end for start, end in taken)
        )
        hits += [hit._replace(sentence=pieces.sentence_at(hit.start)) for hit in others]
    else:
        hits += [hit._replace(sentence=pieces.sentence_at(hit.start)) for hit in _signs_in(folded)]
        hits += _emphasis(sum(hit.share for hit in hits), pieces.exclamations)
    return _weigh_questions(sorted(hits, key=lambda hit: hit.start), pieces)


def _phrases_and_words(text: str, folded: Folded, pieces: _Pieces, words: Lexicon) -> list[Hit]:
    hits: list[Hit] = []
    shouting = not text.isupper()
    contrasts = {pieces.sentences[index]: index for index, known in pieces.known.items() if known.contrast}
    taken_until = 0
    for index, known in pieces.known.items():
        if index < taken_until:
            continue
        sentence = pieces.sentences[index]
        following = pieces.tokens[index + 1] if index + 1 < len(pieces.tokens) else ""
        for phrase in words.phrases(pieces.tokens[index], following) if known.phrases else ():
            end = phrase.end(pieces.tokens, index)
            if end is None or pieces.sentences[end - 1] != sentence:
                continue
            group = phrase.group
            denied = end == index + 1 and not known.negative and _negator_before(pieces, index, taken_until)
            start, stop = folded.span(pieces.spans[index][0], pieces.spans[end - 1][1])
            if denied:
                hits.append(
                    Hit(start, stop, group.valence * weights.NEGATED, "negated", group.topic, sentence=sentence)
                )
            else:
                note = "complaint phrase" if group.severity else "courtesy" if group.courtesy else "phrase"
                hits.append(
                    Hit(start, stop, group.valence, note, group.topic, group.severity, group.courtesy, sentence)
                )
            taken_until = end
            break
        else:
            if (known.valence or known.topic) and not _boosts_next(pieces, index):
                hits.append(_word_hit(text, folded, pieces, index, shouting, taken_until))
                after = contrasts.get(sentence)
                if after is not None:
                    side = weights.BEFORE_CONTRAST if index < after else weights.AFTER_CONTRAST
                    hits[-1] = hits[-1]._replace(share=hits[-1].share * side)
    return hits


def _negator_before(pieces: _Pieces, index: int, taken_until: int) -> bool:
    first = max(taken_until, index - weights.NEGATION_REACH, 0)
    return any(
        back in pieces.known and pieces.known[back].negator and pieces.clauses[back] == pieces.clauses[index]
        for back in range(first, index)
    )


def _boosts_next(pieces: _Pieces, index: int) -> bool:
    following = pieces.known.get(index + 1)
    return pieces.known[index].factor != 1.0 and following is not None and following.valence != 0.0


def _word_hit(text: str, folded: Folded, pieces: _Pieces, index: int, shouting: bool, taken_until: int) -> Hit:
    known = pieces.known[index]
    start, end = folded.span(*pieces.spans[index])
    if not known.valence:
        return Hit(start, end, 0.0, "topic", known.topic, sentence=pieces.sentences[index])
    share, notes = known.valence, ["negated"] if known.turned_round else []
    before = pieces.known.get(index - 1)
    if before is not None and before.factor != 1.0:
        share *= before.factor
        notes.append("boosted" if before.factor > 1 else "dampened")
    if shouting and end - start >= 3 and text[start:end].isupper():
        share *= weights.SHOUTED
        notes.append("in capitals")
    if not (known.negative and share < 0) and _negator_before(pieces, index, taken_until):
        share *= weights.NEGATED
        notes.append("negated")
    return Hit(start, end, share, ", ".join(notes), known.topic, sentence=pieces.sentences[index])


def _emphasis(total: float, exclamations: list[tuple[int, int]]) -> list[Hit]:
    marks = min(sum(end - start for start, end in exclamations), weights.EXCLAMATIONS_MOST)
    if not marks or not total:
        return []
    start, end = exclamations[0]
    return [Hit(start, end, marks * weights.EXCLAMATION * (1 if total > 0 else -1), "emphasis")]


def _weigh_questions(hits: list[Hit], pieces: _Pieces) -> TextReading:
    complaining = {hit.sentence for hit in hits if hit.severity}
    asked = pieces.questions - complaining
    if asked:
        hits = [
            hit for hit in hits if hit.sentence not in asked or hit.note in ("emoji", "emoticon", "emphasis", "topic")
        ]
    if complaining or asked:
        hits = [hit for hit in hits if not hit.courtesy]
    return TextReading(tuple(hits), bool(asked) and not complaining, len(pieces.tokens))
