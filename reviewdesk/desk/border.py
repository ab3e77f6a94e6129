"""The border between connectors and the store: what a connector hands over, checked before anything is written.

Records are made without a look at their types, so a connector can put anything into them. An item that does not fit is
set aside with the reason and stops no other; what cannot be used at all is a fault of the connector's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from reviewdesk.connector import Batch, Capabilities, Cursor
from reviewdesk.model import Attachment, Author, Budget, Finding, Mention, PostedReply, Record, SetAside
from reviewdesk.secrets import redact
from reviewdesk.text import cut, safe

LARGEST_BATCH = 100_000
LONGEST_ID = 500
LONGEST_TEXT = 500_000
LARGEST_CURSOR = 16 << 20
_RAW_KEPT = 20_000
R = TypeVar("R", bound=msgspec.Struct)


class Breach(Exception):
    """A connector does not keep the contract; a clause says how, with the connector as "it"."""


class Admitted(Record, frozen=True, kw_only=True):
    """What of a batch may go in.

    Attributes:
        fault: what ends the poll after that, "" where nothing does.
    """

    mentions: Sequence[Mention]
    set_aside: Sequence[SetAside]
    gone: Sequence[str]
    cursor: Cursor | None
    total: int | None
    fault: str = ""

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to write."""
        told = self.cursor is not None or self.total is not None or self.fault
        return not (self.mentions or self.set_aside or self.gone or told)


def admit(batch: Any) -> Admitted:
    """Checks a batch.

    Raises:
        Breach: it is no batch, or holds too much; nothing of it may go in.
    """
    if not isinstance(batch, Batch):
        raise Breach(f"it gave {_kind(batch)} where a Batch was due")
    mentions, set_aside = _items(batch.mentions, "mentions"), _items(batch.set_aside, "set_aside")
    gone = _items(batch.gone, "gone")
    good: list[Mention] = []
    aside: list[SetAside] = []
    for mention in mentions:
        try:
            good.append(checked_mention(mention))
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            aside.append(_refused(mention, str(error)))
    for each in set_aside:
        try:
            aside.append(_whole(each, SetAside))
        except (ValueError, TypeError) as error:
            aside.append(_refused(each, f"it was set aside by the connector as something else: {error}"))
    aside += [_refused(id, f"an id that is gone is to be a text, not {_kind(id)}") for id in gone if not _is_id(id)]
    cursor, fault = _cursor(batch.cursor)
    total = batch.total if type(batch.total) is int and batch.total >= 0 else None
    return Admitted(
        mentions=good, set_aside=aside, gone=[id for id in gone if _is_id(id)], cursor=cursor, total=total, fault=fault
    )


def checked_mention(mention: Any) -> Mention:
    """Gives a mention whose every field is of its type, times aware, ratings within 1 to 5.

    Raises:
        ValueError: it is none; the sentence names the field.
    """
    if not isinstance(mention, Mention):
        raise ValueError(f"it is {_kind(mention)}, no Mention")
    parts: dict[str, Any] = {name: getattr(mention, name) for name in Mention.__struct_fields__}
    if mention.author is not None:
        parts["author"] = _whole(mention.author, Author)
    if mention.attachments:
        parts["attachments"] = tuple(_whole(each, Attachment) for each in mention.attachments)
    known = _converted(parts, Mention)
    if not _is_id(known.id):
        raise ValueError(f"its id is to be a text of 1 to {LONGEST_ID} characters")
    if len(known.text) > LONGEST_TEXT:
        raise ValueError(f"its text has {len(known.text):,} characters; {LONGEST_TEXT:,} are the most")
    _aware(created_at=known.created_at, edited_at=known.edited_at)
    for name, value in {"rating": known.rating, **known.sub_ratings}.items():
        if value is not None and not (math.isfinite(value) and 1 <= value <= 5):
            raise ValueError(f"its {cut(name, 60)} is {value}; ratings are from 1 to 5, and None without one")
    try:
        msgspec.json.encode(known.raw, enc_hook=str)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        raise ValueError("its raw payload is no JSON") from None
    return known


def checked_reply(posted: Any) -> PostedReply:
    """Gives a posted reply whose every field is of its type.

    Raises:
        TypeError: it is none.
    """
    try:
        known = _whole(posted, PostedReply)
        _aware(posted_at=known.posted_at)
    except ValueError as error:
        raise TypeError(f"what it gave is no PostedReply: {error}") from None
    return known


def checked_findings(found: Any) -> list[Finding]:
    """Gives findings whose every field is of its type.

    Raises:
        Breach: they are none.
    """
    try:
        known = [_whole(each, Finding) for each in _items(found, "findings")]
        for each in known:
            _aware(expires_at=each.expires_at)
        return known
    except ValueError as error:
        raise Breach(f"its check gave something else than findings: {error}") from None


def checked_capabilities(able: Any) -> Capabilities:
    """Gives capabilities whose every field is of its type.

    Raises:
        Breach: they are none.
    """
    try:
        return _whole(able, Capabilities)
    except ValueError as error:
        raise Breach(f"its capabilities are none: {error}") from None


def checked_budget(budget: Any) -> Budget | None:
    """Gives what the platform said of the remaining calls, None where that is no budget: it is only shown."""
    try:
        known = _whole(budget, Budget)
        _aware(until=known.until)
    except ValueError:
        return None
    return known


def text_of(value: Any, otherwise: str) -> str:
    """Gives a text that a connector told of itself, or another one where it told something else."""
    return value if isinstance(value, str) and value else otherwise


def _items(values: Any, name: str) -> Sequence[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise Breach(f"`{name}` of its batch is to be a list, not {_kind(values)}")
    if len(values) > LARGEST_BATCH:
        raise Breach(f"one batch of it holds {len(values):,} {name}; {LARGEST_BATCH:,} are the most")
    return values


def _cursor(cursor: Any) -> tuple[Cursor | None, str]:
    if cursor is None:
        return None, ""
    if not isinstance(cursor, dict) or not all(isinstance(key, str) for key in cursor):
        return None, f"its cursor is to be a JSON object, not {_kind(cursor)}"
    try:
        size = len(json.dumps(cursor, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return None, f"its cursor is no JSON ({cut(str(error), 120)})"
    if size > LARGEST_CURSOR:
        return None, f"its cursor has {size:,} bytes; {LARGEST_CURSOR:,} are the most"
    return cursor, ""


def _whole(record: Any, type: type[R]) -> R:
    if not isinstance(record, type):
        raise ValueError(f"it is {_kind(record)}, no {type.__name__}")
    return _converted({name: getattr(record, name) for name in type.__struct_fields__}, type)


def _converted(parts: Mapping[str, Any], type: type[R]) -> R:
    # The desk's records are taken as they are by `from_attributes`; each was looked at before.
    return msgspec.convert(parts, type, from_attributes=True)


def _aware(**moments: datetime | None) -> None:
    for name, moment in moments.items():
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"its {name} has no time zone")
        if moment is not None and not isinstance(moment.utcoffset(), timedelta):
            raise ValueError(f"its {name} has a time zone without an offset")


def _is_id(id: Any) -> bool:
    return isinstance(id, str) and 0 < len(id) <= LONGEST_ID


def _refused(item: Any, why: str) -> SetAside:
    payload = getattr(item, "raw", None) or item
    try:
        # As the connector's own `problem` keeps it, so that its `read_item` can read it.
        raw = payload if isinstance(payload, str) else msgspec.json.encode(payload, order="deterministic").decode()
    except Exception:
        raw = _shown(payload)
    id = getattr(item, "id", item)
    return SetAside(
        id=cut(str(id), 100) if isinstance(id, (str, int)) else "",
        reason=f"The connector handed over what does not fit: {cut(redact(why), 300)}.",
        raw=safe(redact(raw[:_RAW_KEPT])),
    )


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{_kind(value)} that cannot be shown>"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
