"""The opening line of a reply, with the customer's name in the form that the language asks for.

A wrong name or gender is worse than none, so a name is used only where it is certain: its first name is known, its
letters are of one script, nothing in it speaks for a company or a nickname, and the language's rules cover its ending.
All words, names and endings stand in `names/<language>.toml`; this module only knows how to read them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

import msgspec

from reviewdesk.model import Record
from reviewdesk.text import fold, one_line

LANGUAGES = ("cs", "sk", "pl", "uk", "ru", "de", "hu", "en")
"""The languages (ISO 639-1) that have greetings of their own, and bundled templates."""

_OTHERWISE = "en"
_LONGEST_NAME = 80
_MOST_WORDS = 6
_UNSURE = "?"

_LETTERS = {
    "latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e9e",
    "cyrillic": "\u0400-\u045f\u0490\u0491",
}
_NAME = {
    script: re.compile(rf"[{letters}]+(?:['\u2019\u02bc-][{letters}]+)*\Z") for script, letters in _LETTERS.items()
}
_INITIALS = re.compile(r"[^\W\d_]\Z|[^\W\d_]\.(?:-?[^\W\d_]\.){0,2}\Z")
_PREFIXED = re.compile(r"(?:Mc|Mac|O['’]|D['’]|De|Di|La|Le|Van|Von)[^\W\d_]+\Z")
_STROKES = str.maketrans("łøđı", "lodi")


class _Gender(StrEnum):
    WOMAN = "woman"
    MAN = "man"
    EITHER = "either"


class _Language(Record, frozen=True, kw_only=True):
    """A language's file: its openings by gender, the best first, its names, and its endings."""

    code: str
    script: str
    neutral: str
    woman: tuple[str, ...]
    man: tuple[str, ...]
    either: tuple[str, ...]
    women: str
    men: str
    ambiguous: str
    surname_woman: tuple[str, ...]
    surname_man: tuple[str, ...]
    alone_woman: tuple[str, ...]
    patronymic_woman: tuple[str, ...] = ()
    patronymic_man: tuple[str, ...] = ()
    family_first: bool = False
    vocative_woman: Mapping[str, str] = {}
    vocative_man: Mapping[str, str] = {}
    vocative_surname: Mapping[str, str] = {}


class _Common(Record, frozen=True, kw_only=True):
    titles: str
    titles_woman: str
    titles_man: str
    particles: str
    conjunctions: str
    no_person: str


class _Person(Record, frozen=True, kw_only=True):
    gender: _Gender
    first: str = ""
    patronymic: str = ""
    surname: str = ""


def greeting(name: str | None, language: str) -> str:
    """Gives the opening line for an author's name, with its comma or exclamation mark.

    Never raises. Gives the opening without a name where the name is missing or uncertain.

    Args:
        name: as the platform shows it, in any order and with any titles.
        language: ISO 639-1; one that the desk does not know is greeted in English.
    """
    rules = _rules(language if language in LANGUAGES else _OTHERWISE)
    person = _read(name, rules) if name else None
    if person is None:
        return rules.neutral
    known = {
        "first": " ".join(filter(None, (_spoken_first(person, rules), _patronymic(person, rules)))),
        "surname": _spoken_surname(person, rules),
    }
    openings: Sequence[str] = getattr(rules, person.gender)
    return next(
        (
            opening.format_map(known)
            for opening in openings
            if all(value for field, value in known.items() if f"{{{field}}}" in opening)
        ),
        rules.neutral,
    )


def _read(name: str, rules: _Language) -> _Person | None:
    """Reads who a name speaks of; None where that is not certain."""
    line = one_line(name[: 4 * _LONGEST_NAME]).replace(",", " ")
    words = line.split()
    if len(line) > _LONGEST_NAME or len(words) > _MOST_WORDS:
        return None
    if any(word in _words(_common().conjunctions) for word in (words if not line.isupper() else line.lower().split())):
        return None  # two people
    gender, words = _without_titles(words)
    words = [word for word in words if not _INITIALS.match(word)]
    if not words or not all(_NAME[rules.script].match(word) for word in words):
        return None
    words = _capitalised(words)
    common = _words(_common().no_person)
    if any(_key(word) in common for word in words) or not all(map(_looks_like_a_name, words)):
        return None
    person = _with_first_name(words, rules) or _with_surname_alone(words, rules, gender)
    return person and _of_one_gender(person, gender, rules)


def _without_titles(words: Iterable[str]) -> tuple[_Gender | None, list[str]]:
    common, gender, kept = _common(), None, []
    for word in words:
        key = word.casefold().replace(".", "")
        if key in _words(common.titles_woman):
            gender = _Gender.WOMAN
        elif key in _words(common.titles_man):
            gender = _Gender.MAN
        elif key not in _words(common.titles):
            kept.append(word)
    return gender, kept


def _capitalised(words: list[str]) -> list[str]:
    """Gives names typed in one case as names are written."""
    joined = "".join(words)
    if not (joined.islower() or (joined.isupper() and len(joined) > 2)):
        return words
    return ["-".join(part.capitalize() for part in word.split("-")) for word in words]


def _looks_like_a_name(word: str) -> bool:
    return all(part.istitle() or _one_capital(part) for part in word.split("-")) or bool(
        _PREFIXED.match(word) or word in _words(_common().particles)
    )


def _one_capital(part: str) -> bool:
    return part[:1].isupper() and part[1:].islower()


def _with_first_name(words: list[str], rules: _Language) -> _Person | None:
    genders = {place: gender for place, word in enumerate(words) if (gender := _gender_of(word, rules))}
    if not genders:
        return None
    place = max(genders) if rules.family_first else min(genders)
    gender = genders.pop(place)
    if not rules.family_first and gender is _Gender.MAN and _Gender.WOMAN in genders.values():
        return None  # "Marek Jana": a man with an odd surname, or Jana with her surname first.
    before, after = words[:place], words[place + 1 :]
    if rules.family_first and before and after:
        return None
    patronymic = ""
    if after and _gender_by_ending(after[0], rules.patronymic_woman, rules.patronymic_man):
        patronymic = after.pop(0)
    while len(after) > 1 and _gender_of(after[0], rules):
        after.pop(0)  # further first names
    if before and after:
        return None
    surnames = before or after
    if sum(word not in _words(_common().particles) for word in surnames) > 2:
        return None
    return _Person(gender=gender, first=words[place], patronymic=patronymic, surname=" ".join(surnames))


def _with_surname_alone(words: list[str], rules: _Language, gender: _Gender | None) -> _Person | None:
    if len(words) != 1 or len(words[0]) < 3:
        return None
    if gender is None and len(words[0]) > 4 and words[0].endswith(rules.alone_woman):
        gender = _Gender.WOMAN
    return _Person(gender=gender, surname=words[0]) if gender else None


def _of_one_gender(person: _Person, told: _Gender | None, rules: _Language) -> _Person | None:
    """Gives the person with the gender on which the name, its endings and a title agree; None where they do not."""
    evidence = {
        person.gender,
        told,
        _gender_by_ending(person.surname, rules.surname_woman, rules.surname_man),
        _gender_by_ending(person.patronymic, rules.patronymic_woman, rules.patronymic_man),
    } - {None, _Gender.EITHER}
    if len(evidence) > 1:
        return None
    return msgspec.structs.replace(person, gender=evidence.pop() if evidence else _Gender.EITHER)


def _gender_by_ending(word: str, woman: tuple[str, ...], man: tuple[str, ...]) -> _Gender | None:
    if word.endswith(woman):
        return _Gender.WOMAN
    return _Gender.MAN if word.endswith(man) else None


def _gender_of(word: str, rules: _Language) -> _Gender | None:
    """Gives the gender of a first name in this language, else in the others of its script where they agree.

    Where the family name stands first, a foreigner's order is anybody's guess, so only the language's own names count.
    """
    own = _gender_in(_names(rules.code), word)
    if own or rules.family_first:
        return own
    found = {_gender_in(_names(other.code), word) for other in map(_rules, LANGUAGES) if other.script == rules.script}
    found.discard(None)
    return found.pop() if len(found) == 1 else _Gender.EITHER if found else None


def _gender_in(names: Mapping[str, _Gender], word: str) -> _Gender | None:
    key = _key(word)
    return names.get(key) or names.get(key.split("-")[0])


def _spoken_first(person: _Person, rules: _Language) -> str:
    parts = [_declined(part, _vocative(person, rules)) for part in person.first.split("-")]
    return "-".join(parts) if all(parts) else ""


def _patronymic(person: _Person, rules: _Language) -> str:
    return _declined(person.patronymic, _vocative(person, rules))


def _vocative(person: _Person, rules: _Language) -> Mapping[str, str]:
    return rules.vocative_man if person.gender is _Gender.MAN else rules.vocative_woman


def _spoken_surname(person: _Person, rules: _Language) -> str:
    if person.gender is _Gender.WOMAN or not rules.vocative_surname:
        return person.surname
    return "" if re.search(r"[ -]", person.surname) else _declined(person.surname, rules.vocative_surname)


def _declined(word: str, endings: Mapping[str, str]) -> str:
    """Gives a word by the rule for its longest ending; "" where no rule is sure. Without rules it stays as it is."""
    if not word or not endings:
        return word
    lower = word.lower()
    for start, key in enumerate([f"^{lower}", *(lower[place:] for place in range(len(lower)))]):
        if (ending := endings.get(key)) is not None:
            kept = word[: max(0, start - 1)]
            return "" if ending == _UNSURE else kept + (ending if kept else ending.capitalize())
    return ""


def _key(word: str) -> str:
    return fold(word).translate(_STROKES).replace("\u2019", "'").replace("\u02bc", "'")


@lru_cache(maxsize=64)
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(maxsize=len(LANGUAGES))
def _rules(language: str) -> _Language:
    return msgspec.convert({"code": language, **_data(language)}, _Language)


@lru_cache(maxsize=1)
def _common() -> _Common:
    return msgspec.convert(_data("common"), _Common)


def _data(name: str) -> dict[str, object]:
    return tomllib.loads((files(__package__) / "names" / f"{name}.toml").read_text("utf-8"))


@lru_cache(maxsize=len(LANGUAGES))
def _names(language: str) -> Mapping[str, _Gender]:
    rules = _rules(language)
    lists = ((_Gender.WOMAN, rules.women), (_Gender.MAN, rules.men), (_Gender.EITHER, rules.ambiguous))
    return {_key(name): gender for gender, names in lists for name in names.split()}
