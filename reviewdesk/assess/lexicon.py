"""The words of one language, read from its data file: what a word is worth, and which phrases begin with it.

A file `languages/<code>.toml` has a table `[grammar]` and groups `[[words]]` and `[[phrases]]`; docs/assessment.md
tells how to write one. Patterns are written with or without accents: `nefung*` is a beginning, `nic` a whole word,
`schön!` a word whose accents matter, `a|b_c` the word a or the two words b and c, ` .. ` up to four words in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import product
from operator import attrgetter

import msgspec
import tomli

from reviewdesk.assess import weights
from reviewdesk.assess.folding import fold, spellings
from reviewdesk.assess.tokens import FOLDED, Memory
from reviewdesk.assess.transliteration import TRANSLITERATED, in_cyrillic, respelled
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Intent, Record, Severity, Topic

_GAP = ".."
_GAP_MOST = 4
_DRAWN = re.compile(r"([^\W\d_])\1{2,}")


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


class PhraseGroup(Record, frozen=True, kw_only=True):
    """Phrases of one value, one pattern each.

    Attributes:
        severity: given for complaint phrases alone.
        courtesy: greetings and thanks, which count nothing beside a question or a complaint phrase.
        intent: what somebody wants who writes so.
    """

    about: str
    valence: float
    entries: tuple[str, ...]
    topic: Topic | None = None
    severity: Severity | None = None
    courtesy: bool = False
    intent: Intent | None = None


class LanguageFile(Record, frozen=True, kw_only=True):
    """What stands in `languages/<code>.toml`."""

    grammar: Grammar = Grammar()
    words: tuple[WordGroup, ...] = ()
    phrases: tuple[PhraseGroup, ...] = ()


class Phrase(msgspec.Struct, frozen=True, gc=False):
    """A phrase made ready.

    Attributes:
        rest: the numbers of the slots after its first word; None is a gap of up to four words.
        needs: these slots as bits.
        order: of two that fit, the one of the lower order counts.
    """

    rest: tuple[int | None, ...]
    needs: int
    group: PhraseGroup
    order: tuple[int, int, int]

    def end(self, known: list[Known], first: int) -> int | None:
        """Gives the index after the last word of the phrase that begins with word `first`, or None.

        The gap of a phrase that praises never steps over a negator: "quality .. great" is not "quality is not great".
        """
        at = first + 1
        slack = 0
        for slot in self.rest:
            if slot is None:
                slack = _GAP_MOST
                continue
            for index in range(at, min(at + slack + 1, len(known))):
                if slot in known[index].slots:
                    at, slack = index + 1, 0
                    break
                if known[index].negator and self.group.valence > 0:
                    return None
            else:
                return None
        return at


_order = attrgetter("order")
_NO_SLOTS: frozenset[int] = frozenset()
_NO_PHRASES: Sequence[Phrase] = ()
_NONE_BY_SLOT: Mapping[int | None, Sequence[Phrase]] = {}


class Known(msgspec.Struct, frozen=True, gc=False):
    """What a language's data says of one word as it is written.

    Attributes:
        says: it has a value, a topic or a phrase of its own, or is a negator.
        says_alone: so it has, or is, whatever the next word is.
        listed: it stands among the words, be it with a value of 0, which keeps it from being taken for another one.
        turned_round: a negative prefix has turned its value round already.
        negator: it turns the next words round itself.
        negative: it begins with a negative prefix, so that a negator beside it only agrees with it.
        factor: what it makes of the next word's value.
        slots: the places in phrases where it may stand.
        alone: phrases that it is by itself.
        followed: phrases that begin with it, by the slot of the next word.
        opened: phrases that begin with it and then have a gap, by the slot of the word after the gap.
        grave: one of its phrases is a serious or critical complaint phrase.
        bits, next_bits, gap_bits: the slots of `slots`, `followed` and `opened` as bits, to be compared at once.
    """

    says: bool = False
    says_alone: bool = False
    listed: bool = False
    valence: float = 0.0
    topic: Topic | None = None
    turned_round: bool = False
    negator: bool = False
    negative: bool = False
    factor: float = 1.0
    contrast: bool = False
    slots: frozenset[int] = _NO_SLOTS
    alone: Sequence[Phrase] = _NO_PHRASES
    followed: Mapping[int | None, Sequence[Phrase]] = _NONE_BY_SLOT
    opened: Mapping[int | None, Sequence[Phrase]] = _NONE_BY_SLOT
    grave: bool = False
    bits: int = 0
    next_bits: int = 0
    gap_bits: int = 0

    def begins(self, following: Known, present: int) -> bool:
        """Tells whether a phrase may begin here, before word `following`; `present` as for `phrases`."""
        return bool(self.next_bits & following.bits or self.gap_bits & present or self.alone)

    def phrases(self, known: list[Known], first: int, present: int = -1) -> list[Phrase]:
        """Gives the phrases that may begin here, where this is word `first`, the longest first, then the severest, then
        that which stands first in the file.

        Args:
            known: what is known of the text's words.
            first: this word's place.
            present: the bits of all words of the text together, where they were gathered; most phrases need a word
                that is nowhere in it.
        """
        found = list(self.alone)
        if first + 1 < len(known) and (bits := self.next_bits & known[first + 1].bits):
            for slot in _slots_of(bits):
                found += [phrase for phrase in self.followed[slot] if phrase.needs & present == phrase.needs]
        if self.gap_bits & present:
            for near in known[first + 1 : first + 2 + _GAP_MOST]:
                if bits := self.gap_bits & near.bits:
                    for slot in _slots_of(bits):
                        found += [phrase for phrase in self.opened[slot] if phrase.needs & present == phrase.needs]
        if len(found) > 1:
            found.sort(key=_order)
        return found


NOTHING = Known()
"""What is known of most words."""


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
        self._can_be_written_out = re.compile(rf"(?<![^\s|])[^\s|{letters}]*[{letters}][^\s|]*") if letters else None
        self._sister = grammar.sister
        self._words: dict[str, tuple[float, Topic | None]] = {}
        self._as_written: dict[str, tuple[float, Topic | None]] = {}
        self._phrases: dict[str, list[Phrase]] = {}
        self._slots: dict[str, int] = {}
        self._in_slots: dict[str, list[int]] = {}
        self._phrase_count = 0
        for group in data.words:
            value = (group.valence, group.topic)
            entries = group.entries
            if "!" in entries:
                as_written = [entry for entry in entries.split() if entry[-1] == "!"]
                entries = " ".join(entry for entry in entries.split() if entry[-1] != "!")
                for entry in as_written:
                    written_out = list(spellings(entry[:-1], self._written_out))[1:]
                    self._as_written.update(dict.fromkeys((entry[:-1].casefold(), *written_out), value))
            self._words.update(dict.fromkeys(self._keys(entries), value))
        for phrases in data.phrases:
            for entry in phrases.entries:
                for variant in _variants(self._bare(entry)):
                    self._add_phrase(variant, phrases)
        self._negators = self._set(grammar.negators)
        self._negative_prefixes = tuple(self._set(grammar.negative_prefixes))
        self._superlatives = tuple(self._set(grammar.superlatives))
        self._factors = dict.fromkeys(self._set(grammar.boosters), weights.BOOSTED)
        self._factors |= dict.fromkeys(self._set(grammar.dampeners), weights.DAMPENED)
        self._contrast = self._set(grammar.contrast)
        self.passed_over = self._set(grammar.passed_over)
        self.size = len(self._words) + len(self._as_written) + sum(map(len, self._phrases.values()))
        self._entries = frozenset((*self._words, *self._phrases, *self._in_slots))
        # How long the beginnings are: those of one and two letters, and the others by their first three letters.
        self._short: list[int] = []
        self._lengths: dict[str, list[int]] = {}
        for length, first in sorted({(len(key) - 1, key[:3]) for key in self._entries if key[-1] == "*"}):
            (self._short if length < 3 else self._lengths.setdefault(first, [])).append(length)
        self._short = sorted(set(self._short))
        self._shared: dict[tuple[str, ...], Known] = {}
        self.known: Memory[Known] = Memory(self._known)

    def _bare(self, entry: str) -> str:
        """Gives a pattern folded, with each word that can be written out in both ways ("schön" as "schon|schoen").

        Apostrophes are left out, as they are of the words in a text ("can't", "cant").
        """
        if "'" in entry:
            entry = entry.replace("'", "")
        if self._can_be_written_out is not None:
            entry = self._can_be_written_out.sub(
                lambda word: "|".join(spellings(word[0], self._written_out)), entry.lower()
            )
        return fold(entry).text

    def _keys(self, patterns: str) -> list[str]:
        """Gives the folded forms of blank-separated patterns."""
        return self._bare(patterns).replace("|", " ").split()

    def _set(self, patterns: str) -> frozenset[str]:
        return frozenset(self._keys(patterns))

    def _slot(self, pattern: str) -> int:
        """Gives the number of what may stand at one place of a phrase."""
        number = self._slots.get(pattern)
        if number is None:
            number = self._slots[pattern] = len(self._slots)
            for key in pattern.split("|"):
                self._in_slots.setdefault(key, []).append(number)
        return number

    def _add_phrase(self, entry: str, group: PhraseGroup) -> None:
        head, *others = entry.split()
        rest = tuple([None if pattern == _GAP else self._slot(pattern) for pattern in others])
        needs = _bits(rest)
        words = len(rest) - rest.count(None)
        order = (-words, -group.severity.rank if group.severity else 0, self._phrase_count)
        phrase = Phrase(rest, needs, group, order)
        self._phrase_count += 1
        for key in head.split("|"):
            self._phrases.setdefault(key, []).append(phrase)

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
            if latin.says or latin.slots:  # names that stay in Latin letters, such as "dpd"
                return latin
            token = fold(in_cyrillic(token, self._code)).text
        if "'" in token:
            token = token.replace("'", "")
        found = self._look_up(written, token)
        if found.says:
            return found
        others = [(written, other) for other in respelled(token)] if transliterated else []
        others += [(shorter, shorter) for shorter in drawn_back(token)]
        return next((other for one in others if (other := self._look_up(*one)).says), found)

    def _look_up(self, written: str, token: str) -> Known:
        matching = self._matching(token)
        exact = self._as_written.get(written.lower()) if self._as_written else None
        value = exact or self._value(matching)
        valence, topic, turned = (*value, False) if value else self._derived(token)
        negator, factor, contrast = token in self._negators, self._factors.get(token, 1.0), token in self._contrast
        if not (matching or valence or topic or negator or contrast or factor != 1.0):
            return NOTHING
        in_phrases = self._in_phrases(tuple(matching))
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

    def _in_phrases(self, matching: tuple[str, ...]) -> Known:
        """Gives what the phrases say of words that fit these entries; words of one stem share it, as it may be long."""
        shared = self._shared.get(matching)
        if shared is not None:
            return shared
        slots = [slot for key in matching for slot in self._in_slots.get(key, ())]
        alone: list[Phrase] = []
        followed: dict[int | None, list[Phrase]] = {}
        opened: dict[int | None, list[Phrase]] = {}
        grave = False
        for key in matching:
            for phrase in self._phrases.get(key, ()):
                grave = grave or phrase.group.severity in weights.GRAVE
                if not phrase.rest:
                    alone.append(phrase)
                elif phrase.rest[0] is not None:
                    followed.setdefault(phrase.rest[0], []).append(phrase)
                else:
                    opened.setdefault(phrase.rest[1], []).append(phrase)
        shared = self._shared[matching] = Known(
            says=bool(alone or followed or opened),
            says_alone=bool(alone or opened),
            slots=frozenset(slots),
            alone=alone,
            followed=followed,
            opened=opened,
            grave=grave,
            bits=_bits(slots),
            next_bits=_bits(followed),
            gap_bits=_bits(opened),
        )
        return shared


def drawn_back(word: str) -> list[str]:
    """Gives what a word with drawn letters ("ouuuut") may stand for, each of them once, or twice; [] for any other."""
    return [_DRAWN.sub(fewer, word) for fewer in (r"\1", r"\1\1")] if _DRAWN.search(word) else []


def _bits(slots: Iterable[int | None]) -> int:
    """Gives the slots as bits, gaps left out."""
    bits = 0
    for slot in slots:
        if slot is not None:
            bits |= 1 << slot
    return bits


def _slots_of(bits: int) -> list[int]:
    """Gives the numbers of the slots that are set; where two words meet they are few, though each has many."""
    slots = []
    while bits:
        lowest = bits & -bits
        slots.append(lowest.bit_length() - 1)
        bits ^= lowest
    return slots


def _variants(entry: str) -> Iterable[str]:
    """Gives the phrases that an entry stands for: each alternative of several words ("w_paczce") makes its own."""
    if "_" not in entry:
        return (entry,)
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
