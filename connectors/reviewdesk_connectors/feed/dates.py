"""Dates as the world writes them: ISO 8601, RFC 822, epochs, and patterns with month names in nine languages.

`strptime` is not used: its month names are those of the process's locale, and it knows no genitive ("23. listopadu").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_tz

from reviewdesk.connector import fold

Reader = Callable[[str, tzinfo], datetime]
"""Reads a text into an aware time; the zone is for texts that name none. Raises ValueError."""

DEFAULT_FORMATS = ("iso", "rfc822", "epoch", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d. %B %Y")

# Nominative, genitive and the usual short forms of each month, without diacritics and in lower case.
_MONTHS = """
january jan leden ledna led januar januara stycznia styczen sty sichen sichnia січень січня січ январь января
янв jaenner janner janr,
february feb unor unora uno februar februara luty lutego lut лютии лютого лют февраль февраля фев februr,
march mar brezen brezna bre marec marca marzec marzo березень березня бер март марта мар marz maerz mrz
marcius marc,
april apr duben dubna dub aprila kwiecien kwietnia kwi квітень квітня кві апрель апреля апр aprilis,
may kveten kvetna kve maj maja травень травня тра маи мая mai majus,
june jun cerven cervna cvn jana juna czerwiec czerwca cze червень червня чер июнь июня июн juni junius,
july jul cervenec cervence cvc jula lipiec lipca lip липень липня лип июль июля июл juli julius,
august aug srpen srpna srp augusta sierpien sierpnia sie серпень серпня сер август августа авг augusztus,
september sep sept zari zar septembra wrzesien wrzesnia wrz вересень вересня вер сентябрь сентября сен сент
szeptember szept,
october oct rijen rijna rij oktober oktobra pazdziernik pazdziernika paz жовтень жовтня жов октябрь октября
окт okt,
november nov listopad listopadu listopada lis novembra листопад листопада лис ноябрь ноября ноя,
december dec prosinec prosince pro decembra grudzien grudnia gru грудень грудня гру декабрь декабря дек
dezember dez,
"""
_MONTH_OF = {fold(name): number for number, names in enumerate(_MONTHS.split(","), 1) for name in names.split()}

_HOURS = {
    "utc": 0, "gmt": 0, "ut": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "mez": 1, "sec": 1, "cest": 2,
    "mesz": 2, "selc": 2, "eet": 2, "eest": 3, "msk": 3, "trt": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_ISO_TAIL = re.compile(r"(?<=[\d ])\s*([A-Za-zČčÉé]{1,5})$")

_DIRECTIVES = {
    "d": r"(?P<day>\d{1,2})", "m": r"(?P<month>\d{1,2})", "Y": r"(?P<year>\d{4})", "y": r"(?P<short>\d{2})",
    "H": r"(?P<hour>\d{1,2})", "I": r"(?P<twelve>\d{1,2})", "M": r"(?P<minute>\d{2})", "S": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})", "p": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})", "Z": r"(?P<zone>[^\W\d_]{1,5})",
    "B": r"(?P<name>[^\W\d_]+)\.?", "b": r"(?P<name>[^\W\d_]+)\.?", "A": r"[^\W\d_]+\.?", "a": r"[^\W\d_]+\.?",
    "%": "%",
}  # fmt: skip


def reader(format: str) -> Reader:
    """Gives the reader for one format.

    Args:
        format: "iso", "rfc822", "epoch" (ten digits are seconds, thirteen milliseconds), "epoch_s", "epoch_ms", or a
            pattern of `%d %m %Y %y %H %I %p %M %S %f %z %Z %B %b %A %a %%`, where month names may be in any of the
            languages that the desk reads and a blank stands for any blanks or none.

    Raises:
        ValueError: there is no such format; the sentence says what there is.
    """
    named = _NAMED.get(format)
    if named is not None:
        return named
    if "%" not in format:
        raise ValueError(
            f"there is no date format {format!r}; known are {', '.join(_NAMED)} and patterns like %d.%m.%Y"
        )
    return _pattern(format)


def read(text: str, formats: Sequence[Reader], zone: tzinfo) -> datetime:
    """Gives the time that `text` names, aware and in UTC, by the first of the formats that fits.

    Raises:
        ValueError: none fits.
    """
    text = " ".join(text.split())
    for each in formats:
        try:
            return each(text, zone).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"{text[:60]!r} is no date in any of the formats given")


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _named_zone(name: str) -> tzinfo:
    hours = _HOURS.get(fold(name))
    if hours is None:
        raise ValueError(f"unknown zone {name!r}")
    return timezone(timedelta(hours=hours))


def _iso(text: str, zone: tzinfo) -> datetime:
    if text.isdecimal() and len(text) != 8:
        # Python reads the milliseconds of an epoch as a day, any letter, and a time.
        raise ValueError(text)
    try:
        return _aware(datetime.fromisoformat(text), zone)
    except ValueError:
        tail = _ISO_TAIL.search(text)
        if tail is None:
            raise
        return _aware(datetime.fromisoformat(text[: tail.start()].rstrip()), _named_zone(tail[1]))


def _rfc822(text: str, zone: tzinfo) -> datetime:
    try:
        parts = parsedate_tz(text)
    except (IndexError, TypeError):  # what some Pythons do with a text that only looks like a date
        parts = None
    if parts is None:
        raise ValueError(text)
    moment = datetime(*parts[:6])  # noqa: DTZ001 - the zone follows
    words = text.split()
    if words[-1].isalpha() and fold(words[-1]) in _HOURS:
        return moment.replace(tzinfo=_named_zone(words[-1]))
    if re.search(r"[+-]\d{4}\b", text) and parts[9] is not None:
        return moment.replace(tzinfo=timezone(timedelta(seconds=parts[9])))
    return moment.replace(tzinfo=zone)


def _epoch(text: str, unit: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(text) * unit)


def _epoch_s(text: str, zone: tzinfo) -> datetime:
    return _epoch(text, 1)


def _epoch_ms(text: str, zone: tzinfo) -> datetime:
    return _epoch(text, 0.001)


def _epoch_either(text: str, zone: tzinfo) -> datetime:
    if not re.fullmatch(r"\d{10}(\d{3})?(\.\d+)?", text):
        raise ValueError(text)
    return _epoch(text, 1 if len(text.partition(".")[0]) == 10 else 0.001)


_NAMED: dict[str, Reader] = {
    "iso": _iso,
    "rfc822": _rfc822,
    "epoch": _epoch_either,
    "epoch_s": _epoch_s,
    "epoch_ms": _epoch_ms,
}


def _pattern(format: str) -> Reader:
    pieces = []
    for directive, blank, other in re.findall(r"%(.)|(\s+)|(.)", format, re.DOTALL):
        if other == "%" or (directive and directive not in _DIRECTIVES):
            raise ValueError(f"%{directive} in the date format {format!r} means nothing here")
        pieces.append(_DIRECTIVES[directive] if directive else r"\s*" if blank else re.escape(other))
    try:
        compiled = re.compile("".join(pieces), re.IGNORECASE)
    except re.error:
        raise ValueError(f"the date format {format!r} names one part twice") from None
    if not {"day", "year", "short"} & set(compiled.groupindex):
        raise ValueError(f"the date format {format!r} has no day or year in it")

    def read_pattern(text: str, zone: tzinfo) -> datetime:
        found = compiled.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return _assemble({name: value for name, value in found.groupdict().items() if value}, zone)

    return read_pattern


def _assemble(parts: dict[str, str], zone: tzinfo) -> datetime:
    year = int(parts["year"]) if "year" in parts else 2000 + int(parts["short"])
    month = _month(parts["name"]) if "name" in parts else int(parts.get("month", "1"))
    hour = int(parts.get("hour", "0"))
    if "twelve" in parts:
        hour = int(parts["twelve"]) % 12 + (12 if parts.get("half", "a")[0] in "pP" else 0)
    if "zone" in parts:
        zone = _named_zone(parts["zone"])
    if offset := parts.get("offset"):
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo or zone
    return datetime(
        year,
        month,
        int(parts.get("day", "1")),
        hour,
        int(parts.get("minute", "0")),
        int(parts.get("second", "0")),
        int(parts.get("fraction", "0").ljust(6, "0")[:6]),
        tzinfo=zone,
    )


def _month(name: str) -> int:
    number = _MONTH_OF.get(fold(name))
    if number is None:
        raise ValueError(f"{name!r} is no month")
    return number
