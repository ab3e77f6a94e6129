"""What the transforms do to one value: numbers, ratings, yes and no, languages. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from reviewdesk.connector import fold

_BLANKS = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u2060']+")
_NUMBER = re.compile(r"[+\-−]?(?:\d[\d.,]*|[.,]\d+)")
_OF = re.compile(r"([\d.,]+)\s*(?:/|z|ze|of|von|из|із|з|od|out of|sur|/)\s*(\d+)", re.IGNORECASE)
_STARS = re.compile(r"^([★⭐]*)([☆✩]*)$")

_YES = frozenset(
    fold("true yes y 1 on ano áno tak так да ja igen x ✓ ✔ doporučuji doporučuje odporúčam polecam рекомендую "
         "recommended positive").split()
)  # fmt: skip
_NO = frozenset(
    fold("false no n 0 off ne nie ні нет nein nem ✗ nedoporučuji nedoporučuje neodporúčam niepolecam "
         "negative").split()
)  # fmt: skip

# What shops and portals write in the place of an ISO 639-1 code.
_LANGUAGES = {
    "cz": "cs", "ua": "uk", "at": "de", "gb": "en", "us": "en", "cze": "cs", "ces": "cs", "slk": "sk", "slo": "sk",
    "pol": "pl", "ukr": "uk", "rus": "ru", "deu": "de", "ger": "de", "hun": "hu", "eng": "en",
}  # fmt: skip


def number(text: str) -> float:
    """Gives the number in a text: decimal comma or point, blanks of any kind between thousands, a unit after it.

    A single comma or point is a decimal one; of both kinds the last one is; one that repeats separates thousands.

    Raises:
        ValueError: there is no number in it.
    """
    found = _NUMBER.search(_BLANKS.sub("", text))
    if found is None:
        raise ValueError(f"{text[:60]!r} is no number")
    digits = found[0].replace("−", "-").rstrip(".,")
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        thousands = "." if comma > point else ","
        digits = digits.replace(thousands, "")
    elif digits.count(",") > 1 or digits.count(".") > 1:
        digits = digits.replace(",", "").replace(".", "")
    try:
        value = float(digits.replace(",", "."))
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text[:60]!r} is no number")
    return value


def rating(text: str, scale: Sequence[float] = (), to: Sequence[float] = (1, 5)) -> float | None:
    """Gives a rating in stars of 1 to 5, None for what says "not rated" (a zero where the scale begins above it).

    Args:
        text: "4", "4,5", "97 %", "4 of 5", "4/5", "8 z 10", "★★★★☆".
        scale: the lowest and the highest value of the platform; without it a percentage is taken from 0 to 100, "x of
            y" from 1 to y, and a bare number as stars.
        to: what the ends of the scale become.

    Raises:
        ValueError: it is no rating, or outside of the scale.
    """
    text = text.strip()
    stars = _STARS.match(text)
    of = _OF.search(text)
    if stars and text:
        value, ends = float(len(stars[1])), (1.0, float(max(5, len(text))))
    elif of:
        value, ends = number(of[1]), (1.0, float(of[2]))
    else:
        value, ends = number(text), (0.0, 100.0) if "%" in text else (1.0, 5.0)
    low, high = scale or ends
    if value == 0 and min(low, high) > 0:
        return None
    if not min(low, high) <= value <= max(low, high) or low == high:
        raise ValueError(f"the rating {text[:60]!r} is outside of {low:g} to {high:g}")
    return round(to[0] + (value - low) / (high - low) * (to[1] - to[0]), 2)


def boolean(text: str) -> bool:
    """Gives yes or no from the words for it in the languages of the desk.

    Raises:
        ValueError: it is neither.
    """
    word = fold(text.strip())
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{text[:60]!r} is neither yes nor no")


def language(text: str) -> str | None:
    """Gives ISO 639-1 from a language tag or the codes that are used in its place ("cs-CZ", "cz", "UA"), else None."""
    code = re.split(r"[-_]", text.strip().lower())[0]
    code = _LANGUAGES.get(code, code)
    return code if re.fullmatch(r"[a-z]{2}", code) else None


def plain(value: object) -> str:
    """Gives a selected value as text: whole numbers without a point, truth as "true" or "false", nothing as ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
