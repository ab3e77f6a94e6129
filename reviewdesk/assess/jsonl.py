"""JSON lines in and out of the assessor: what the command `assess` reads and writes. Pure.

A line in is `{"text", "id"?, "title"?, "rating"?, "sub_ratings"?, "recommends"?, "pros"?, "cons"?, "lang"?}`; a line
out has `id` (where one came in), `lang`, `compound`, `label`, `complaint`, `probability`, `severity`, `intent`,
`unsure`, `topics` and `reasons`.
"""

from __future__ import annotations

import math
import re

from reviewdesk.assess.assessable import Assessable
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Assessment, JsonObject, Reason

_RATING = re.compile(r"\s*(\d{1,4}(?:[.,]\d{1,4})?)\s*(?:(%)|(?:/|of|z|ze|von)\s*([1-9]\d{0,3}))?\s*")
_SHAPE = 'Write one object a line, such as {"text": "Works well", "rating": 5}.'


def assessable_from(line: object, prior: str | None = None) -> Assessable:
    """Gives what one decoded line asks to assess. Keys that are not known are left alone.

    Args:
        line: the decoded JSON value. `rating` is a number from 1 to 5 or a string ("4", "4,5", "4/5", "80 %"), and
            `sub_ratings` an object of such by name; `recommends` is true or false; `pros` and `cons` are a string or a
            list of strings; null stands for a missing key.
        prior: the home language, for texts too short to tell.

    Raises:
        NotAllowed: the line is no object, or a value has the wrong type or range; the sentence names the key.
    """
    if not isinstance(line, dict):
        raise NotAllowed(f"The line is {_kind(line)}, not an object.", hint=_SHAPE)
    if "text" not in line:
        raise NotAllowed('The line has no "text".', hint=_SHAPE)
    rating = line.get("rating")
    return Assessable(
        text=_string(line, "text"),
        title=_string(line, "title"),
        rating=_stars_or_none(rating, "rating"),
        rating_raw=rating if isinstance(rating, str) else "",
        language=_string(line, "lang") or None,
        pros=_points(line, "pros"),
        cons=_points(line, "cons"),
        recommends=_yes_or_no(line, "recommends"),
        sub_ratings=_sub_ratings(line),
        prior=prior,
    )


def answer(line: object, assessment: Assessment) -> JsonObject:
    """Gives the object to write for a line that was read; `id` comes back as it was given.

    Numbers are rounded to four digits; `compound` is null where nothing could be read.
    """
    found: JsonObject = {"id": line["id"]} if isinstance(line, dict) and "id" in line else {}
    return found | {
        "lang": assessment.language,
        "compound": None if assessment.compound is None else round(assessment.compound, 4) + 0.0,  # never "-0.0"
        "label": assessment.label.value,
        "complaint": assessment.complaint,
        "probability": round(assessment.probability, 4),
        "severity": assessment.severity.value,
        "intent": assessment.intent.value,
        "unsure": assessment.unsure,
        "topics": [topic.value for topic in assessment.topics],
        "reasons": [_reason(reason) for reason in assessment.reasons],
    }


def _reason(reason: Reason) -> JsonObject:
    shown: JsonObject = {"field": reason.field, "evidence": reason.evidence, "share": round(reason.share, 4)}
    if reason.start is not None:
        shown |= {"start": reason.start, "end": reason.end}
    if reason.note:
        shown["note"] = reason.note
    if reason.topic is not None:
        shown["topic"] = reason.topic.value
    return shown


def _string(line: JsonObject, key: str) -> str:
    value = line.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NotAllowed(f'"{key}" is {_kind(value)}, not a string.', hint="Put it in quotes.")
    return value


def _points(line: JsonObject, key: str) -> tuple[str, ...]:
    value = line.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(point for point in value.splitlines() if point.strip())
    if isinstance(value, list) and all(isinstance(point, str) for point in value):
        return tuple(value)
    raise NotAllowed(f'"{key}" is neither a string nor a list of strings.', hint='Write ["one point", "another"].')


def _yes_or_no(line: JsonObject, key: str) -> bool | None:
    value = line.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise NotAllowed(
        f'"{key}" is {_kind(value)}, neither true nor false.', hint="Leave the key out where it was not asked."
    )


def _sub_ratings(line: JsonObject) -> dict[str, float]:
    value = line.get("sub_ratings")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotAllowed(f'"sub_ratings" is {_kind(value)}, not an object.', hint='Write {"delivery": 4, "price": 5}.')
    stars = {name: _stars_or_none(each, f"sub_ratings.{name[:40]}") for name, each in value.items()}
    return {name: each for name, each in stars.items() if each is not None}


def _stars_or_none(rating: object, key: str) -> float | None:
    return None if rating is None or rating == "" else _stars(rating, key)


def _stars(rating: object, key: str) -> float:
    hint = 'Give stars from 1 to 5, or a string such as "4/5" or "80 %"; leave the key out where nothing was rated.'
    stars = math.nan
    if isinstance(rating, (int, float)) and not isinstance(rating, bool):
        stars = float(rating) if abs(rating) <= 5 else math.inf
    elif isinstance(rating, str) and (match := _RATING.fullmatch(rating)):
        number, scale = float(match[1].replace(",", ".")), 100.0 if match[2] else float(match[3] or 5)
        if number <= scale:
            stars = number if scale == 5 else max(1.0, 5 * number / scale)
    if not 1 <= stars <= 5:
        raise NotAllowed(f'"{key}" is {str(rating)[:40]!r}, not a number from 1 to 5.', hint=hint)
    return stars


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
