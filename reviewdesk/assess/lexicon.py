"""The words of one language, read from its data file: what a word is worth, and which phrases begin with it.

A file `languages/<code>.toml` has a table `[grammar]` and groups `[[words]]` and `[[phrases]]`; docs/assessment.md
tells how to write one. Patterns are written with or without accents: `nefung*` is a beginning, `nic` a whole word,
`schön!` a word whose accents matter, `a|b_c` the word a or the two words b and c, ` .. ` up to four words in between.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from itertools import product
from typing import NamedTuple

import msgspec

from reviewdesk.assess import weights
from reviewdesk.assess.folding import fold, spellings
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Record, Severity, Topic

_GAP = ".."
_GAP_MOST = 4
_REMEMBERED = 16_384
_LETTERS_MOST = 40
_DRAWN = re.compile(r"(.)\1{2,}")


class Grammar(Record, frozen=True, kw_only=True):
    """The small words of a language, as blank-separated patterns, and its spelling.

    Attributes:
        negators: words that turn the next ones round.
        negative_prefixes: beginnings that do the same to their own word.
        boosters, dampeners: words that make the next one stronger or weaker.
        contrast: words after which the real message comes.
        none: whole answers to "what was bad?" that mean nothing was.
        written_out: letters and what people type in place of them.
    """

    negators: str = ""
    negative_prefixes: str = ""
    boosters: str = ""
    dampeners: str = ""
    contrast: str = ""
    none: tuple[str, ...] = ()
    written_out: Mapping[str, str] = {}


class WordGroup(Record, frozen=True, kw_only=True):
    """Words of one value. `entries` are patterns, separated by blanks."""

    about: str
    valence: float
    entries: str
    topic: Topic | None = None


class PhraseGroup(Record, frozen=True, kw_only=True):
    """Phrases of one value, one pattern each.

    Attributes:
        severity: given for complaint phrases alone.
        courtesy: greetings and thanks, which count nothing beside a question or a complaint phrase.
    """

    about: str
    valence: float
    entries: tuple[str, ...]
    topic: Topic | None = None
    severity: Severity | None = None
    courtesy: bool = False


class LanguageFile(Record, frozen=True, kw_only=True):
    """What stands in `languages/<code>.toml`."""

    grammar: Grammar = Grammar()
    words: tuple[WordGroup, ...] = ()
    phrases: tuple[PhraseGroup, ...] = ()


class _Slot(NamedTuple):
    """What may stand at one place of a phrase."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, token: str) -> bool:
        """Tells whether a folded word may stand here."""
        return token in self.whole or token.startswith(self.beginnings)


class Phrase(NamedTuple):
    """A phrase made ready: what may stand after its first word; None is a gap of up to four words."""

    rest: tuple[_Slot | None, ...]
    group: PhraseGroup

    @property
    def rank(self) -> int:
        """How severe it is: the severer of two phrases is looked for first."""
        return self.group.severity.rank if self.group.severity else 0

    def end(self, tokens: list[str], first: int) -> int | None:
        """Gives the index after the last word of the phrase that begins at `tokens[first]`, or None."""
        at = first + 1
        slack = 0
        for slot in self.rest:
            if slot is None:
                slack = _GAP_MOST
                continue
            for index in range(at, min(at + slack + 1, len(tokens))):
                if slot.fits(tokens[index]):
                    at, slack = index + 1, 0
                    break
            else:
                return None
        return at


class Known(NamedTuple):
    """What a language's data says of one word as it is written.

    Attributes:
        turned_round: a negative prefix has turned its value round already.
        negator: it turns the next words round itself.
        negative: it begins with a negative prefix, so that a negator beside it only agrees with it.
        factor: what it makes of the next word's value.
        phrases: those that begin with it, the severest and then the longest first.
    """

    valence: float = 0.0
    topic: Topic | None = None
    turned_round: bool = False
    negator: bool = False
    negative: bool = False
    factor: float = 1.0
    contrast: bool = False
    phrases: tuple[Phrase, ...] = ()


NOTHING = Known()
"""What is known of most words."""


class Lexicon:
    """The data of one language, made ready for looking up words.

    Args:
        data: the file's content.
    """

    def __init__(self, data: LanguageFile) -> None:
        grammar = data.grammar
        self._written_out = grammar.written_out
        self._words: dict[str, tuple[float, Topic | None]] = {}
        self._as_written: dict[str, tuple[float, Topic | None]] = {}
        self._phrases: dict[str, list[Phrase]] = {}
        for group in data.words:
            for pattern in group.entries.split():
                for key in self._keys(pattern):
                    (self._as_written if key.endswith("!") else self._words)[key.rstrip("!")] = (
                        group.valence,
                        group.topic,
                    )
        for phrases in data.phrases:
            for entry in phrases.entries:
                for variant in _variants(entry):
                    self._add_phrase(variant, phrases)
        self._negators = self._set(grammar.negators)
        self._negative_prefixes = tuple(self._set(grammar.negative_prefixes))
        self._factors = dict.fromkeys(self._set(grammar.boosters), weights.BOOSTED)
        self._factors |= dict.fromkeys(self._set(grammar.dampeners), weights.DAMPENED)
        self._contrast = self._set(grammar.contrast)
        self._none = frozenset(
            _words_alone(key) for answer in grammar.none for key in spellings(answer, self._written_out)
        )
        self.size = len(self._words) + len(self._as_written) + sum(map(len, self._phrases.values()))
        self.has_words = bool(self._words)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._known)
        self._remembered_pairs = lru_cache(maxsize=_REMEMBERED)(self._phrases_of_pair)

    def _keys(self, pattern: str) -> list[str]:
        if pattern.endswith("!"):
            written = pattern.casefold()
            return [written, *(f"{other}!" for other in list(spellings(written[:-1], self._written_out))[1:])]
        return list(spellings(pattern, self._written_out))

    def _set(self, patterns: str) -> frozenset[str]:
        return frozenset(key for pattern in patterns.split() for key in self._keys(pattern))

    def _slot(self, pattern: str) -> _Slot:
        keys = [key for one in pattern.split("|") for key in self._keys(one)]
        return _Slot(
            frozenset(key for key in keys if key[-1] != "*"), tuple(key[:-1] for key in keys if key[-1] == "*")
        )

    def _add_phrase(self, entry: str, group: PhraseGroup) -> None:
        head, *others = entry.split()
        rest = tuple(None if pattern == _GAP else self._slot(pattern) for pattern in others)
        for one in head.split("|"):
            for key in self._keys(one):
                self._phrases.setdefault(key, []).append(Phrase(rest, group))

    def _longest_match(self, token: str) -> tuple[float, Topic | None] | None:
        if token in self._words:
            return self._words[token]
        for end in range(len(token), 1, -1):
            found = self._words.get(token[:end] + "*")
            if found is not None:
                return found
        return None

    def _value(self, token: str) -> tuple[float, Topic | None, bool]:
        """Gives value, topic, and whether a negative prefix turned the value round."""
        found = self._longest_match(token)
        if found is not None:
            return *found, False
        for prefix in self._negative_prefixes:
            if token.startswith(prefix) and len(token) >= len(prefix) + 3:
                found = self._longest_match(token[len(prefix) :])
                if found is not None:
                    return found[0] * weights.NEGATED, found[1], True
        return 0.0, None, False

    def known(self, written: str, token: str) -> Known:
        """Gives what is known of a word, looked up by its first forty letters.

        Args:
            written: the word as it stands in the text.
            token: the word folded.
        """
        return self._remembered(written[:_LETTERS_MOST], token[:_LETTERS_MOST])

    def _known(self, written: str, token: str) -> Known:
        token = token.replace("'", "")
        exact = self._as_written.get(written.lower())
        valence, topic, turned = (*exact, False) if exact else self._value(token)
        phrases = [phrase for end in range(2, len(token) + 1) for phrase in self._phrases.get(token[:end] + "*", ())]
        phrases += self._phrases.get(token, ())
        if not valence and not phrases and _DRAWN.search(token):
            drawn_back = _DRAWN.sub(r"\1", token)
            if drawn_back != token:
                return self._known(drawn_back, drawn_back)
        known = Known(
            valence=valence,
            topic=topic,
            turned_round=turned,
            negator=token in self._negators,
            negative=token.startswith(self._negative_prefixes),
            factor=self._factors.get(token, 1.0),
            contrast=token in self._contrast,
            phrases=tuple(sorted(phrases, key=lambda phrase: (-phrase.rank, -len(phrase.rest)))),
        )
        return NOTHING if known._replace(negative=False) == NOTHING else known

    def phrases(self, token: str, following: str) -> tuple[Phrase, ...]:
        """Gives the phrases that begin with one folded word and may go on with the next, the severest first."""
        return self._remembered_pairs(token[:_LETTERS_MOST], following[:_LETTERS_MOST])

    def _phrases_of_pair(self, token: str, following: str) -> tuple[Phrase, ...]:
        return tuple(
            phrase
            for phrase in self.known(token, token).phrases
            if not phrase.rest or phrase.rest[0] is None or phrase.rest[0].fits(following)
        )

    def says_none(self, answer: str) -> bool:
        """Tells whether an answer to "what was good?" or "what was bad?" means "nothing" ("Žádné.", "-", "")."""
        bare = _words_alone(fold(answer).text)
        return not bare or bare in self._none


def _words_alone(folded: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", folded))


def _variants(entry: str) -> Iterator[str]:
    """Gives the phrases that an entry stands for: each alternative of several words ("w_paczce") makes its own."""
    places = []
    for place in entry.split():
        alternatives = place.split("|")
        single = "|".join(one for one in alternatives if "_" not in one)
        places.append([single] * bool(single) + [one.replace("_", " ") for one in alternatives if "_" in one])
    return map(" ".join, product(*places))


def read(code: str, content: str) -> LanguageFile:
    """Gives the content of a language's file, checked.

    Raises:
        ReviewdeskError: it is no TOML, or a key, topic or severity in it does not exist; the sentence names it.
    """
    try:
        return msgspec.convert(tomllib.loads(content), LanguageFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise ReviewdeskError(f"The words of language {code!r} cannot be read: {fault}.") from fault


@cache
def lexicon(code: str) -> Lexicon:
    """Gives the lexicon of the data file `languages/<code>.toml`, read once.

    Raises:
        ReviewdeskError: the file is missing or wrong.
    """
    file = resources.files("reviewdesk.assess") / "languages" / f"{code}.toml"
    try:
        return Lexicon(read(code, file.read_text("utf-8")))
    except FileNotFoundError as fault:
        raise ReviewdeskError(f"There are no words for language {code!r}.") from fault
