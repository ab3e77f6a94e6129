"""The words of one language, read from its data file: what a word is worth, and where it stands in phrases.

A file `languages/<code>.toml` has a table `[grammar]` and groups `[[words]]` and `[[phrases]]`; docs/assessment.md
tells how to write one. Patterns are written with or without accents: `nefung*` is a beginning, `nic` a whole word,
`schön!` a word whose accents matter, `a|b_c` the word a or the two words b and c, ` .. ` up to four words in between.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
import tomli

from reviewdesk.assess import weights
from reviewdesk.assess.folding import fold, spellings
from reviewdesk.assess.phrases import NOTHING, Known, PhraseGroup, Phrases
from reviewdesk.assess.tokens import FOLDED, Memory
from reviewdesk.assess.transliteration import TRANSLITERATED, in_cyrillic, respelled
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Intent, Record, Topic

_ACCENTED = re.compile(r"[^\s|_]+!")
_DRAWN = re.compile(r"([^\W\d_])\1{2,}")
_THRICE = re.compile(r"(.)\1\1")  # found in a third of the time, and in few words


class Grammar(Record, frozen=True, kw_only=True):
    """The small words of a language, as blank-separated patterns, and its spelling.

    Attributes:
        negators: words that turn the next ones round.
        negative_prefixes: beginnings that do the same to their own word.
        superlatives: beginnings that make their own word stronger ("nej-").
        boosters, dampeners: words that make the next one stronger or weaker.
        contrast: words after which the real message comes.
        written_out: letters and what people type in place of them.
        sister: the file of a language whose words people mix in; a word that is not known here is looked up there.
        passed_over: words that vaderSentiment values and a shop's customers mean nothing by, or something else.
    """

    negators: str = ""
    negative_prefixes: str = ""
    superlatives: str = ""
    boosters: str = ""
    dampeners: str = ""
    contrast: str = ""
    written_out: Mapping[str, str] = {}
    sister: str | None = None
    passed_over: str = ""


class WordGroup(Record, frozen=True, kw_only=True):
    """Words of one value. `entries` are patterns, separated by blanks."""

    about: str
    valence: float
    entries: str
    topic: Topic | None = None


class LanguageFile(Record, frozen=True, kw_only=True):
    """What stands in `languages/<code>.toml`."""

    grammar: Grammar = Grammar()
    words: tuple[WordGroup, ...] = ()
    phrases: tuple[PhraseGroup, ...] = ()


class Lexicon:
    """The data of one language, made ready for looking up words.

    Args:
        data: the file's content.
        code: the name of the file.
    """

    def __init__(self, data: LanguageFile, code: str = "") -> None:
        self._code = code
        grammar = data.grammar
        self._written_out = grammar.written_out
        letters = "".join(grammar.written_out)
        self._can_be_written_out = re.compile(rf"(?<![^\s|])[^\s|{letters}]*+[{letters}][^\s|]*") if letters else None
        self._sister = grammar.sister
        self._words: dict[str, tuple[float, Topic | None]] = {}
        self._as_written: dict[str, tuple[float, Topic | None]] = {}
        self._phrases = Phrases()
        for group in data.words:
            value = (group.valence, group.topic)
            entries = group.entries
            if "!" in entries:
                as_written = [entry for entry in entries.split() if entry[-1] == "!"]
                entries = " ".join(entry for entry in entries.split() if entry[-1] != "!")
                for entry in as_written:
                    self._as_written.update(dict.fromkeys(self._accented(entry), value))
            self._words.update(dict.fromkeys(self._keys(entries), value))
        self._in_phrases_as_written: dict[str, str] = {}
        for phrases in data.phrases:
            entries = "\n".join(phrases.entries)
            for accented in _ACCENTED.findall(entries) if "!" in entries else ():
                self._in_phrases_as_written |= {form: f"{fold(form).text}!" for form in self._accented(accented)}
            for entry in self._bare(entries).splitlines():
                self._phrases.add(entry, phrases)
        self._negators = self._set(grammar.negators)
        self._negative_prefixes = tuple(self._set(grammar.negative_prefixes))
        self._superlatives = tuple(self._set(grammar.superlatives))
        self._factors = dict.fromkeys(self._set(grammar.boosters), weights.BOOSTED)
        self._factors |= dict.fromkeys(self._set(grammar.dampeners), weights.DAMPENED)
        self._contrast = self._set(grammar.contrast)
        self.passed_over = self._set(grammar.passed_over)
        self._entries = frozenset((*self._words, *self._phrases.keys))
        # How long the beginnings are: those of one and two letters, and the others by their first three letters.
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for key in self._entries:
            if key[-1] == "*":
                lengths[key[:3] if len(key) > 3 else ""].add(len(key) - 1)
        self._lengths = {first: sorted(some) for first, some in lengths.items()}
        self._short = self._lengths.pop("", [])
        self.known: Memory[Known] = Memory(self._known)

    @property
    def size(self) -> int:
        """How many words, beginnings and phrases there are, where each alternative within a phrase makes its own."""
        return len(self._words) + len(self._as_written) + self._phrases.size

    def _accented(self, entry: str) -> tuple[str, ...]:
        """Gives the forms of a word whose accents matter: as it is ("schön!"), and written out ("schoen")."""
        return (entry[:-1].casefold(), *list(spellings(entry[:-1], self._written_out))[1:])

    def _bare(self, entry: str) -> str:
        """Gives a pattern folded, with each word that can be written out in both ways ("schön" as "schon|schoen").

        Apostrophes are left out, as they are of the words in a text ("can't", "cant").
        """
        if "'" in entry:
            entry = entry.replace("'", "")
        if self._can_be_written_out is not None and not entry.isascii():
            entry = self._can_be_written_out.sub(
                lambda word: "|".join(spellings(word[0], self._written_out)), entry.lower()
            )
        return fold(entry).text

    def _keys(self, patterns: str) -> list[str]:
        """Gives the folded forms of blank-separated patterns."""
        return self._bare(patterns).replace("|", " ").split()

    def _set(self, patterns: str) -> frozenset[str]:
        return frozenset(self._keys(patterns))

    def _matching(self, token: str) -> list[str]:
        """Gives the entries that fit a folded word, the shortest beginning first and the whole word last."""
        known = self._entries
        lengths = (*self._short, *self._lengths.get(token[:3], ()))
        found = [key for end in lengths if end <= len(token) and (key := token[:end] + "*") in known]
        if token in known:
            found.append(token)
        return found

    def _value(self, matching: list[str]) -> tuple[float, Topic | None] | None:
        for key in reversed(matching):
            if key in self._words:
                return self._words[key]
        return None

    def _derived(self, token: str) -> tuple[float, Topic | None, bool]:
        """Gives the value of what is left without a prefix, and whether a negative prefix turned it round."""
        for prefix in self._superlatives:
            if token.startswith(prefix) and (found := self._value(self._matching(token[len(prefix) :]))) is not None:
                return found[0] * weights.BOOSTED, found[1], False
        for prefix in self._negative_prefixes:
            if token.startswith(prefix) and len(token) >= len(prefix) + 3:
                found = self._value(self._matching(token[len(prefix) :]))
                if found is not None:
                    turned = weights.NEGATED_PRAISE if found[0] > 0 else weights.NEGATED_BLAME
                    return found[0] * turned, found[1], True
                if len(token) >= len(prefix) + 5:
                    return weights.DENIED, None, True
        return 0.0, None, False

    def _known(self, written: str) -> Known:
        """Gives what is known of a word here, or what it is worth in the sister language, whose phrases stay there."""
        found = self._own(written)
        if self._sister is None or found.says or found.listed or found.factor != 1.0:
            return found
        borrowed = lexicon(self._sister)._own(written)
        says = bool(borrowed.valence or borrowed.topic or borrowed.negator)
        return msgspec.structs.replace(
            found,
            says=says,
            says_alone=says,
            valence=borrowed.valence,
            topic=borrowed.topic,
            turned_round=borrowed.turned_round,
            negator=borrowed.negator,
            negative=borrowed.negative,
            factor=borrowed.factor,
        )

    def _own(self, written: str) -> Known:
        token = FOLDED[written]
        transliterated = self._code in TRANSLITERATED and token.isascii()
        if transliterated:
            latin = self._look_up(written, token)
            if latin.says or latin.bits:  # names that stay in Latin letters, such as "dpd"
                return latin
            token = fold(in_cyrillic(token, self._code)).text
        if "'" in token:
            token = token.replace("'", "")
        found = self._look_up(written, token)
        if found.says:
            return found
        others = [(shorter, shorter) for shorter in drawn_back(token)]
        if transliterated:
            others = [*((written, other) for other in respelled(token)), *others]
        for one in others:
            other = self._look_up(*one)
            if other.says:
                return other
        return found

    def _look_up(self, written: str, token: str) -> Known:
        matching = self._matching(token)
        if self._in_phrases_as_written and (accented := self._in_phrases_as_written.get(written.lower())):
            matching.append(accented)
        exact = self._as_written.get(written.lower()) if self._as_written else None
        value = exact or self._value(matching)
        valence, topic, turned = (*value, False) if value else self._derived(token)
        negator = exact is None and token in self._negators
        factor, contrast = self._factors.get(token, 1.0), token in self._contrast
        if not (matching or valence or topic or negator or contrast or factor != 1.0):
            return NOTHING
        in_phrases = self._phrases.known(tuple(matching))
        says_alone = bool(valence or topic or negator or in_phrases.says_alone)
        return msgspec.structs.replace(
            in_phrases,
            says=says_alone or in_phrases.says,
            says_alone=says_alone,
            listed=bool(value),
            valence=valence,
            topic=topic,
            turned_round=turned,
            negator=negator,
            negative=token.startswith(self._negative_prefixes),
            factor=factor,
            contrast=contrast,
        )


def drawn_back(word: str) -> list[str]:
    """Gives what a word with drawn letters ("ouuuut") may stand for, each of them once, or twice; [] for any other."""
    return [_DRAWN.sub(fewer, word) for fewer in (r"\1", r"\1\1")] if _THRICE.search(word) else []


def read(code: str, content: str) -> LanguageFile:
    """Gives the content of a language's file, checked.

    Raises:
        ReviewdeskError: it is no TOML, or a key, topic or severity in it does not exist; the sentence names it.
    """
    try:
        return msgspec.convert(tomli.loads(content), LanguageFile)
    except (tomli.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise ReviewdeskError(f"The words of language {code!r} cannot be read: {fault}.") from fault


_INTENT_VALENCES = {Intent.QUESTION: 0.0, Intent.REQUEST: 0.0, Intent.SPAM: 0.0, Intent.ABUSE: -3.2}


@cache
def _intents() -> Mapping[str, Mapping[Intent, tuple[str, ...]]]:
    content = (resources.files("reviewdesk.assess") / "languages" / "intents.toml").read_text("utf-8")
    return msgspec.convert(tomli.loads(content), dict[str, dict[Intent, tuple[str, ...]]])


def _with_intents(code: str, data: LanguageFile) -> LanguageFile:
    groups = (
        PhraseGroup(about=intent.value, valence=_INTENT_VALENCES[intent], entries=entries, intent=intent)
        for intent, entries in _intents().get(code, {}).items()
    )
    return msgspec.structs.replace(data, phrases=(*data.phrases, *groups))


@cache
def lexicon(code: str) -> Lexicon:
    """Gives the lexicon of the data file `languages/<code>.toml`, read once.

    Raises:
        ReviewdeskError: the file is missing or wrong.
    """
    file = resources.files("reviewdesk.assess") / "languages" / f"{code}.toml"
    try:
        return Lexicon(_with_intents(code, read(code, file.read_text("utf-8"))), code)
    except FileNotFoundError as fault:
        raise ReviewdeskError(f"There are no words for language {code!r}.") from fault
