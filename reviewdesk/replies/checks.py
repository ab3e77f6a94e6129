"""What is looked at before a reply goes out. Faults keep it back; warnings ask a person once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reviewdesk.model import Channel, LengthUnit, Level, Record
from reviewdesk.replies.personalise import greeting
from reviewdesk.replies.render import holes_in
from reviewdesk.text import REPLACEMENT, fold, one_line, safe, same_text

_UNIT_WORDS = {
    LengthUnit.CHARACTERS: "characters",
    LengthUnit.UTF16: "characters as the platform counts them (most emoji are two)",
    LengthUnit.BYTES: "bytes (a letter with a diacritic is two)",
}
_LANGUAGE_WORDS = {
    "cs": "Czech",
    "de": "German",
    "en": "English",
    "hu": "Hungarian",
    "pl": "Polish",
    "ru": "Russian",
    "sk": "Slovak",
    "uk": "Ukrainian",
}
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\bX{3,}\b")
_LINK = re.compile(r"https?://\S+|\bwww\.\S+", re.IGNORECASE)
_DATE = re.compile(r"\b\d{1,2}[./-] ?\d{1,2}[./-] ?(?:\d{4}|\d{2})\b|\b\d{4}-\d{2}-\d{2}\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_ACCOUNT = re.compile(r"(?<![\d/-])(?:\d{2,6}-)?\d{6,10}/\d{4}(?!\d)")
_PHONE = re.compile(r"(?<![\w/-])(?:\+|00)?\(?\d(?:[ ./()-]{0,2}\d){8,14}(?![\w/])")
_ORDER = re.compile(
    r"(?:objedn[áa]vk|zam[óo]wieni|замовленн|заказ|bestell|rendel[ée]s|order)[^\W\d_]{0,12}"
    r"[ :.,#№]{0,5}(?:(?:č|c|čísl[oa]|nr|no|number|nummer|numer|szám[aú]?|номер)\b[ :.,#№]{0,5})?"
    r"[A-Za-z]{0,4}-?\d[\d-]{4,}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{3,}")


class Problem(Record, frozen=True, kw_only=True):
    """One thing found: a fault keeps the reply back, a warning asks once."""

    level: Level
    sentence: str


def length(text: str, unit: LengthUnit) -> int:
    """Gives how long a text is as a platform counts it: code points, UTF-16 code units or UTF-8 bytes."""
    match unit:
        case LengthUnit.CHARACTERS:
            return len(text)
        case LengthUnit.UTF16:
            return len(text) + sum(char > "\uffff" for char in text)
        case LengthUnit.BYTES:
            return len(text.encode("utf-8", "surrogatepass"))


def check_reply(
    text: str,
    *,
    limit: int | None = None,
    unit: LengthUnit = LengthUnit.CHARACTERS,
    channel: Channel = Channel.PUBLIC,
    language: str | None = None,
    mention_language: str | None = None,
    customer: str | None = None,
    other_names: Sequence[str] = (),
    own_names: Sequence[str] = (),
    order_id: str = "",
    own_contacts: Sequence[str] = (),
    recent: Sequence[str] = (),
) -> list[Problem]:
    """Gives what speaks against sending a reply, faults first; empty where nothing does.

    Args:
        limit: the platform's longest reply, counted in `unit`; None where there is no limit.
        channel: personal data are looked for in public replies only.
        language: of the reply (of its template); None where not known.
        mention_language: of the mention; None or "other" where not known.
        customer: the name of the mention's author.
        other_names: names of other customers that the agent may have mixed up with this one.
        own_names: the shop's and the agent's, which may stand in any line.
        order_id: the mention's order number, where known.
        own_contacts: the shop's own addresses and telephone numbers, which may stand in public.
        recent: the texts of the last replies; platforms flag series of identical ones.
    """
    found = [Problem(level=Level.FAULT, sentence=sentence) for sentence in _faults(text, limit, unit)]
    warnings = [
        *(_personal_data(text, order_id, own_contacts) if channel is Channel.PUBLIC else ()),
        *_wrong_language(language, mention_language),
        *_wrong_customer(text, language or mention_language, customer, other_names, own_names),
        *_repeated(text, recent),
    ]
    return found + [Problem(level=Level.WARNING, sentence=sentence) for sentence in warnings]


def _faults(text: str, limit: int | None, unit: LengthUnit) -> Iterator[str]:
    if not text.strip():
        yield "The reply is empty."
        return
    holes = holes_in(text)
    if holes:
        yield f"Fill in what is missing: {', '.join(holes)}."
    elif leftover := _LEFTOVER.search(text):
        yield f"“{leftover.group()}” is left over from a template: fill it in or take it out."
    if safe(text).count(REPLACEMENT) > text.count(REPLACEMENT):
        yield "The reply holds control characters that nobody sees: type that place again."
    if limit is not None and (count := length(text, unit)) > limit:
        yield f"The reply is too long: {count:,} of {limit:,} {_UNIT_WORDS[unit]}; take out {count - limit:,}."


def _personal_data(text: str, order_id: str, own_contacts: Sequence[str]) -> Iterator[str]:
    contacts = " ".join(own_contacts)
    own_addresses = {address.casefold() for address in _EMAIL.findall(contacts)}
    own_digits = {_digits(number.group()) for number in _PHONE.finditer(contacts)}
    if any(address.casefold() not in own_addresses for address in _EMAIL.findall(text)):
        yield "An e-mail address would be public."
    text = _DATE.sub(" ", _EMAIL.sub(" ", _LINK.sub(" ", text)))
    order = bool(order_id) and re.search(rf"(?<!\w){re.escape(order_id)}(?!\w)", text) is not None
    if order or _ORDER.search(text):
        yield "An order number would be public."
        text = _ORDER.sub(" ", text.replace(order_id, " ") if order else text)
    if _ACCOUNT.search(text) or any(_is_iban(match.group()) for match in _IBAN.finditer(text)):
        yield "A bank account number would be public."
        text = _ACCOUNT.sub(" ", _IBAN.sub(" ", text))
    if any(_digits(match.group()) not in own_digits for match in _PHONE.finditer(text)):
        yield "A telephone number would be public."


def _digits(number: str) -> str:
    """Gives the last nine digits: a number with and without its country's prefix is the same."""
    return re.sub(r"\D", "", number)[-9:]


def _is_iban(text: str) -> bool:
    """Tells whether the check digits fit (ISO 13616: letters as numbers, the first four last, modulo 97 is 1)."""
    packed = text.replace(" ", "")
    return 15 <= len(packed) <= 34 and int("".join(str(int(char, 36)) for char in packed[4:] + packed[:4])) % 97 == 1


def _wrong_language(language: str | None, mention_language: str | None) -> Iterator[str]:
    if language and mention_language and "other" not in (language, mention_language) and language != mention_language:
        yield f"The reply is in {language_name(language)}, the customer wrote in {language_name(mention_language)}."


def language_name(language: str) -> str:
    """Gives a language's English name; one that the desk does not know stays its code in quotation marks."""
    return _LANGUAGE_WORDS.get(language, f"“{language}”")


def _wrong_customer(
    text: str, language: str | None, customer: str | None, others: Sequence[str], own_names: Sequence[str]
) -> Iterator[str]:
    opening = next((line for line in text[:2_000].splitlines() if line.strip()), "")[:200].strip()
    words, own = _words(opening), _words(customer or "").union(*map(_words, own_names))
    tongue = language or "en"
    neutral, expected = greeting(None, tongue), greeting(customer, tongue)
    if opening.startswith(expected) and expected != neutral:
        return
    words -= _words(neutral)
    for other in others:
        theirs = greeting(other, tongue)
        if theirs == neutral:
            continue  # It may be a nickname made of anybody's words.
        if (theirs != expected and opening.startswith(theirs)) or (_words(other) - own) & words:
            yield f"The greeting speaks to {one_line(other[:400])[:60]}, who is another customer."
            return


def _words(text: str) -> set[str]:
    return set(_WORD.findall(fold(text[:400])))


def _repeated(text: str, recent: Sequence[str]) -> Iterator[str]:
    if text.strip() and any(same_text(text, other) for other in recent):
        yield "This is word for word one of the last replies; platforms take series of identical replies for spam."
