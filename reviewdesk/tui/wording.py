"""Times, stars and delivery states in the words that people read. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from reviewdesk.desk.delivery import THERE
from reviewdesk.model import DeliveryState, Kind
from reviewdesk.store.records import Reply
from reviewdesk.text import cut
from reviewdesk.tui.line import Surroundings

_UNITS = ((60, "s", 1), (60 * 60, "min", 60), (48 * 3600, "h", 3600), (21 * 86400, "days", 86400))
_STATE_STYLES = {
    DeliveryState.QUEUED: "$warning",
    DeliveryState.SENDING: "$warning",
    DeliveryState.POSTED: "$success",
    DeliveryState.VISIBLE: "$success",
    DeliveryState.REFUSED: "$error",
    DeliveryState.UNKNOWN: "bold $error",
    DeliveryState.WITHDRAWN: "$faint",
    DeliveryState.HELD: "bold $error",
    DeliveryState.HANDED_OFF: "$warning",
}
KINDS = {Kind.REVIEW: "review", Kind.COMMENT: "comment", Kind.POST: "post", Kind.MESSAGE: "message"}
"""What a mention is called."""


def source_label(source: str, connector: str, around: Surroundings) -> str:
    """Gives the name of a source on one line of at most 24 cells."""
    return cut(around.labels.get(source) or connector.capitalize(), 24)


def ago(moment: datetime, around: Surroundings) -> str:
    """Gives how long ago a moment is, or in how long it comes: "5 min ago", "in 2 h", "now"."""
    span = around.now - moment
    if abs(span) < timedelta(seconds=5):
        return "now"
    return f"{duration(span)} ago" if span > timedelta() else f"in {duration(-span)}"


def clock(moment: datetime, around: Surroundings, *, today: str = "today ") -> str:
    """Gives a moment in the shop's time, with as much of the date as is needed to know the day; `today` for today."""
    local, now = moment.astimezone(around.zone), around.now.astimezone(around.zone)
    time = f"{local.hour}:{local:%M}"
    if local.date() == now.date():
        return f"{today}{time}"
    if local.year == now.year or abs(local - now) < timedelta(days=60):
        return f"{local:%a} {local.day} {local:%b} {time}"
    return f"{local.day} {local:%b} {local.year} {time}"


def duration(span: timedelta) -> str:
    """Gives a span in its largest unit that says enough: "40 s", "5 min", "30 h", "3 days", "6 weeks", "2 years"."""
    seconds = int(span.total_seconds())
    for most, unit, size in _UNITS:
        if seconds < most:
            return f"{max(1, seconds // size)} {unit}"
    weeks = seconds // (7 * 86400)
    return f"{weeks} weeks" if weeks < 104 else f"{seconds // (365 * 86400)} years"


def stars(rating: float) -> str:
    """Gives a rating from 1 to 5 as five stars, an opened half counted from a quarter on: "★★½☆☆"."""
    rating = min(max(rating, 0.0), 5.0)
    whole = int(rating + 0.25)
    half = "½" if rating - whole >= 0.25 else ""
    return ("★" * whole + half).ljust(5, "☆")


def standing_text(reply: Reply) -> str:
    """Gives a reply's text: as the platform has it where it stands there, else as it was approved."""
    return (reply.remote_text if reply.state in THERE else None) or reply.text


def delivery(reply: Reply, around: Surroundings) -> tuple[str, str]:
    """Gives where a reply is on its way, in words, and the style to show them in."""
    match reply.state:
        case DeliveryState.QUEUED if reply.attempts:
            words = f"not posted yet, next try {ago(reply.send_after, around)}"
        case DeliveryState.QUEUED if reply.send_after > around.now:
            words = f"goes out {ago(reply.send_after, around)}"
        case DeliveryState.QUEUED:
            words = "waits for the next delivery"
        case DeliveryState.SENDING:
            words = "is being sent"
        case DeliveryState.POSTED:
            words = f"posted {clock(reply.posted_at, around)}" if reply.posted_at else "posted"
        case DeliveryState.VISIBLE:
            words = f"on the platform since {clock(reply.posted_at or reply.updated_at, around)}"
        case DeliveryState.REFUSED:
            words = "refused by the platform"
        case DeliveryState.UNKNOWN:
            words = "nobody knows whether it was posted"
        case DeliveryState.HELD:
            words = "held back: its thread has changed"
        case DeliveryState.HANDED_OFF:
            words = "handed off: to be posted on the platform's own page"
        case _:
            words = "taken back"
    return words, _STATE_STYLES[reply.state]
