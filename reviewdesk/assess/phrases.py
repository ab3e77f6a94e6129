"""The phrases of a language, and what is known of the words that they are made of. Pure.

Phrases that begin alike are joined into steps, so that a text is followed word by word and no phrase is tried that does
not go on with its next word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter

import msgspec

from reviewdesk.assess import weights
from reviewdesk.model import Intent, Record, Severity, Topic

_GAP = ".."
_GAP_MOST = 4


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


def _bits(slots: Iterable[int]) -> int:
    """Gives the slots as bits."""
    bits = 0
    for slot in slots:
        bits |= 1 << slot
    return bits


def _slots_of(bits: int) -> list[int]:
    """Gives the numbers of the slots that are set; where two words meet they are few, though each has many."""
    slots = []
    while bits:
        slot = bits.bit_length() - 1
        slots.append(slot)
        bits ^= 1 << slot
    return slots


class Option(msgspec.Struct, frozen=True, gc=False):
    """What may stand at one place of a phrase.

    Attributes:
        slot: the number of the patterns that fit here.
        gap: up to four words may stand before it.
        then: what may stand at the next place; nothing where the phrase ends.
    """

    slot: int
    gap: bool
    then: tuple[Option, ...]


class Phrase(msgspec.Struct, frozen=True, gc=False):
    """A phrase after its first word.

    Attributes:
        then: what may stand next; nothing where it is but one word.
        has_gap: it has a gap somewhere.
        number: its place in the file.
    """

    group: PhraseGroup
    then: tuple[Option, ...]
    has_gap: bool
    number: int


_Path = tuple[int, ...]
_Way = tuple[Phrase, tuple[Option, ...], _Path]
_Order = tuple[int, int, int, _Path]
Found = tuple[_Order, Phrase, int]
"""A phrase that stands in a text: by what it is put in order, what it is, and the index after its last word."""


class _Steps(dict[int, "Step"]):
    """The steps that may come next, by the slot of the word that leads there; each is made when a text takes it."""

    def __init__(self) -> None:
        self.ahead: dict[int, list[_Way]] = {}

    def __missing__(self, slot: int) -> Step:
        step = self[slot] = Step(self.ahead[slot])
        return step


class Step:
    """Where all phrases that have begun with the same words go on.

    Args:
        ways: the phrases, each with what may stand next, and which of the alternatives at its places led here.

    Attributes:
        next_bits: the slots of the next word with which any goes on, one bit each.
        gap_bits: those of a word up to four words after it.
    """

    __slots__ = ("_after_gap", "_ends", "_next", "gap_bits", "next_bits")

    def __init__(self, ways: Iterable[_Way] = ()) -> None:
        self._ends: list[tuple[_Order, Phrase]] = []
        self._next, self._after_gap = _Steps(), _Steps()
        for phrase, options, path in ways:
            if not options:
                severity = phrase.group.severity
                self._ends.append(((-len(path), -severity.rank if severity else 0, phrase.number, path), phrase))
            for place, option in enumerate(options):
                steps = self._after_gap if option.gap else self._next
                steps.ahead.setdefault(option.slot, []).append((phrase, option.then, (*path, place)))
        self.next_bits, self.gap_bits = _bits(self._next.ahead), _bits(self._after_gap.ahead)

    def find(
        self,
        known: list[Known],
        at: int,
        present: int,
        found: list[Found],
        denied: bool = False,
        just_denied: bool = False,
    ) -> None:
        """Adds the phrases that stand in a text to `found`, where word `at` is the one after those that led here.

        The gap of a phrase that praises never steps over a negator: "quality .. great" is not "quality is not great".
        Nor does that of a phrase that blames step over one right before its last words: "after washing .. shrunk" is
        not "after washing it has not shrunk".

        Args:
            known: what is known of the text's words.
            at: the place of the next word.
            present: the bits of all words of the text together.
            found: what was found.
            denied: a gap has stepped over a negator.
            just_denied: it has done so right before the words up to `at` - 1, which may be the last.
        """
        for order, phrase in self._ends:
            if not (denied if phrase.group.valence > 0 else just_denied and phrase.group.valence < 0):
                found.append((order, phrase, at))
        if at < len(known) and (bits := self.next_bits & known[at].bits):
            for slot in _slots_of(bits):
                self._next[slot].find(known, at + 1, present, found, denied, just_denied)
        just_denied = second_last = False
        if bits := self.gap_bits & present:
            for index, one in enumerate(known[at : at + _GAP_MOST + 1], at + 1):
                if here := bits & one.bits:
                    bits ^= here
                    near = (just_denied or second_last) and not one.negative
                    for slot in _slots_of(here):
                        self._after_gap[slot].find(known, index, present, found, denied, near)
                denied, just_denied, second_last = denied or one.negator, one.negator, just_denied


_order = itemgetter(0)
_NO_STEP = Step()


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
        bits: the slots where it may stand, one bit each, to be compared at once.
        step: where the phrases that begin with it go on.
        alone: one of them is but this word.
        grave: one of them is a serious or critical complaint phrase.
        next_bits, gap_bits: those of `step`.
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
    bits: int = 0
    step: Step = _NO_STEP
    alone: bool = False
    grave: bool = False
    next_bits: int = 0
    gap_bits: int = 0

    def phrases(self, known: list[Known], first: int, present: int) -> list[Found]:
        """Gives the phrases that begin here, where this is word `first`, the longest first, then the severest, then
        that which stands first in the file.

        Args:
            known: what is known of the text's words.
            first: this word's place.
            present: the bits of all words of the text together; most phrases need a word that is nowhere in it.
        """
        found: list[Found] = []
        self.step.find(known, first + 1, present, found)
        if len(found) > 1:
            found.sort(key=_order)
        return found


NOTHING = Known()
"""What is known of most words."""


class Phrases:
    """All phrases of a language, by their first words."""

    def __init__(self) -> None:
        self._beginning: defaultdict[str, list[Phrase]] = defaultdict(list)
        self._count = 0
        self._slots: dict[str, int] = {}
        self._in_slots: defaultdict[str, list[int]] = defaultdict(list)
        self._known: dict[tuple[str, ...], Known] = {}

    @property
    def keys(self) -> Iterable[str]:
        """The patterns of all words in phrases."""
        return (*self._beginning, *self._in_slots)

    @property
    def size(self) -> int:
        """How many phrases there are by first word, where each alternative of several words makes its own."""
        return sum(_ways(phrase.then) for beginning in self._beginning.values() for phrase in beginning)

    def add(self, entry: str, group: PhraseGroup) -> None:
        """Takes in a phrase, from its last place to its first, as each place leads on to the next.

        Args:
            entry: its pattern, folded.
            group: what it is worth.
        """
        places = entry.split()
        then: tuple[Option, ...] = ()
        for at in range(len(places) - 1, 0, -1):
            if places[at] != _GAP:
                then = self._options(places[at], places[at - 1] == _GAP, then)
        has_gap = _GAP in places
        for first, *rest in _alternatives(places[0]):
            phrase = Phrase(group, self._in_a_row(rest, False, then), has_gap, self._count)
            self._count += 1
            for key in first.split("|"):
                self._beginning[key].append(phrase)

    def _options(self, place: str, gap: bool, then: tuple[Option, ...]) -> tuple[Option, ...]:
        if "_" not in place:
            return (Option(self._slot(place), gap, then),)
        return tuple([option for words in _alternatives(place) for option in self._in_a_row(words, gap, then)])

    def _in_a_row(self, words: Sequence[str], gap: bool, then: tuple[Option, ...]) -> tuple[Option, ...]:
        for at in range(len(words) - 1, -1, -1):
            then = (Option(self._slot(words[at]), gap and at == 0, then),)
        return then

    def _slot(self, pattern: str) -> int:
        """Gives the number of what may stand at one place of a phrase."""
        number = self._slots.get(pattern)
        if number is None:
            number = self._slots[pattern] = len(self._slots)
            for key in pattern.split("|"):
                self._in_slots[key].append(number)
        return number

    def known(self, matching: tuple[str, ...]) -> Known:
        """Gives what the phrases say of words that fit these patterns; words of one stem share it."""
        known = self._known.get(matching)
        if known is None:
            phrases = [phrase for key in matching for phrase in self._beginning.get(key, ())]
            step = Step((phrase, phrase.then, ()) for phrase in phrases) if phrases else _NO_STEP
            alone = not all(phrase.then for phrase in phrases)
            known = self._known[matching] = Known(
                says=bool(phrases),
                says_alone=alone or step.gap_bits != 0,
                bits=_bits(slot for key in matching for slot in self._in_slots.get(key, ())),
                step=step,
                alone=alone,
                grave=any(phrase.group.severity in weights.GRAVE for phrase in phrases),
                next_bits=step.next_bits,
                gap_bits=step.gap_bits,
            )
        return known


def _ways(then: tuple[Option, ...]) -> int:
    return sum(_ways(option.then) for option in then) or 1


def _alternatives(place: str) -> list[list[str]]:
    """Gives what may stand at a place of a phrase: all single words as one, then each of several ("w_paczce")."""
    if "_" not in place:
        return [[place]]
    alternatives = place.split("|")
    single = "|".join(one for one in alternatives if "_" not in one)
    return [[single]] * bool(single) + [one.split("_") for one in alternatives if "_" in one]
