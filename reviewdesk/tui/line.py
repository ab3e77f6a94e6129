"""One mention as one or two lines of a terminal: what stands where, and in which part of the theme. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from reviewdesk.commands import Keys
from reviewdesk.model import DeliveryState, Kind, Severity, Status
from reviewdesk.store.records import Row, SourceState, Writer
from reviewdesk.text import cut

TWO_LINES_BELOW = 110
"""A list narrower than this gives each mention two lines."""

PARTS = (
    "critical",
    "serious",
    "mild",
    "new",
    "chosen",
    "stars",
    "stars-low",
    "author",
    "author-new",
    "faint",
    "text",
    "text-gone",
    "late",
    "soon",
    "good",
    "bad",
    "tag",
)
"""The parts of a line that a theme colours."""

_BARS = {Severity.CRITICAL: "█", Severity.SERIOUS: "▌", Severity.MILD: "▎", Severity.NONE: "▏"}
_BAR_PARTS = {
    Severity.CRITICAL: "critical",
    Severity.SERIOUS: "serious",
    Severity.MILD: "mild",
    Severity.NONE: "mild",
}
_KINDS = {Kind.REVIEW: "", Kind.COMMENT: "comm.", Kind.POST: "post", Kind.MESSAGE: "✉ msg"}
_REPLIES = {
    DeliveryState.QUEUED: ("⧗ queued", "soon"),
    DeliveryState.SENDING: ("↗ sending", "soon"),
    DeliveryState.POSTED: ("✓ posted", "good"),
    DeliveryState.VISIBLE: ("✓ replied", "good"),
    DeliveryState.REFUSED: ("✗ refused", "bad"),
    DeliveryState.UNKNOWN: ("? unknown", "bad"),
    DeliveryState.HELD: ("‖ held", "bad"),
    DeliveryState.HANDED_OFF: ("⇱ by hand", "soon"),
}
_SOON = timedelta(hours=1)
_STARS, _AGE, _DUE = 5, 4, 9
_GAP = 2
_SHORT_TITLE = 14


class Piece(NamedTuple):
    """A text and the part of the theme that colours it; "" for the line's own colour."""

    text: str
    part: str = ""


class Surroundings(NamedTuple):
    """What lines are painted for: the time, where the shop is, who looks, the names of sources, agents and keys."""

    now: datetime
    zone: tzinfo
    agent: str
    labels: Mapping[str, str]
    people: Mapping[str, str] = MappingProxyType({})
    keys: Keys = Keys()


def lines(row: Row, width: int, around: Surroundings, *, chosen: bool = False) -> tuple[list[Piece], ...]:
    """Gives the lines of a mention, each exactly `width` cells wide: one where there is room for it, otherwise two."""
    bar = Piece(_BARS[row.severity], _BAR_PARTS[row.severity]) if row.complaint else Piece(" ")
    mark = Piece("✓", "chosen") if chosen else Piece("●", "new") if row.status is Status.NEW else Piece(" ")
    who = Piece(row.author or "someone", "author-new" if row.status is Status.NEW else "author")
    where = Piece(around.labels.get(row.source, row.connector.capitalize()), "faint")
    excerpt = Piece(row.excerpt, "text-gone" if row.gone else "text")
    when = [Piece(age(around.now - row.created_at).rjust(_AGE), "faint"), _due(row, around)]
    if width >= TWO_LINES_BELOW:
        who = Piece(_fitted(who.text, 18), who.part)
        where = Piece(_fitted(where.text, _SHORT_TITLE), where.part)
        left = [bar, mark, Piece(" "), _stars(row), Piece(" "), who, Piece(" "), where, Piece(" ")]
        return (_joined(left, [excerpt], [*_states(row, around.agent), *_work(row, around), *when], width),)
    left = [bar, mark, Piece(" "), _stars(row), Piece(" ")]
    return (
        _joined(left, [who, where], [*_states(row, around.agent), *when], width),
        _joined([bar, Piece(" "), Piece(" ")], [excerpt], _work(row, around), width),
    )


def waiting(width: int, height: int) -> tuple[list[Piece], ...]:
    """Gives the lines of a mention that is still being read."""
    return ([Piece(_fitted("   …", width), "faint")], *([Piece(" " * width)] for _ in range(height - 1)))


def age(span: timedelta) -> str:
    """Gives a span in one number and unit, at most four cells: 5m, 3h, 2d, 6w, 2y."""
    minutes = max(0, int(span.total_seconds() // 60))
    for unit, size, until in (("m", 1, 60), ("h", 60, 48), ("d", 1440, 21), ("w", 10080, 53)):
        if minutes < size * until:
            return f"{minutes // size}{unit}" if minutes else "now"
    return f"{min(999, minutes // 525_600) or 1}y"


def source_labels(sources: Sequence[SourceState]) -> dict[str, str]:
    """Gives a short name for each source: its title where that is short, else its platform or id."""
    connectors = [source.connector for source in sources]
    return {
        source.id: title
        if (title := source.title.strip()) and cell_len(title) <= _SHORT_TITLE
        else source.connector.capitalize()
        if connectors.count(source.connector) == 1
        else source.id
        for source in sources
    }


def _stars(row: Row) -> Piece:
    if row.rating is None:
        return Piece(_KINDS[row.kind].ljust(_STARS), "faint")
    whole = int(row.rating)
    stars = "★" * whole + ("½" if row.rating - whole >= 0.25 else "")
    return Piece(stars.ljust(_STARS, "·")[:_STARS], "stars-low" if row.rating <= 2 else "stars")


def _due(row: Row, around: Surroundings) -> Piece:
    if row.status in (Status.ANSWERED, Status.CLOSED):
        return Piece(row.status.value.rjust(_DUE), "good" if row.status is Status.ANSWERED else "faint")
    if row.status is Status.SNOOZED and row.snoozed_until:
        return Piece(_moment(row.snoozed_until, around).rjust(_DUE), "faint")
    if row.due_at is None:
        return Piece(" " * _DUE)
    left = row.due_at - around.now
    if left < timedelta():
        return Piece(f"{age(-left)} late".rjust(_DUE).replace("now late", "    late"), "late")
    return Piece(f"due {age(left)}".rjust(_DUE), "soon" if left < _SOON else "faint")


def _moment(moment: datetime, around: Surroundings) -> str:
    local, now = moment.astimezone(around.zone), around.now.astimezone(around.zone)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if local - now < timedelta(days=6) else f"{local:%d %b}"


def _states(row: Row, agent: str) -> list[Piece]:
    found = []
    if any(writer.agent == agent for writer in row.writers):
        found.append(Piece(" ✎", "soon"))
    if row.gone:
        found.append(Piece(" gone", "faint"))
    elif row.edited:
        found.append(Piece(" edited", "faint"))
    if row.reply_state in _REPLIES:
        text, part = _REPLIES[row.reply_state]
        found.append(Piece(f" {text}", part))
    return found


def _work(row: Row, around: Surroundings) -> list[Piece]:
    found = [Piece(f" #{cut(tag, 16)}", "tag") for tag in row.tags[:3]]
    found += [_writer(writer, around) for writer in row.writers if writer.agent != around.agent][:2]
    if row.assignee:
        found.append(Piece(f" @{cut(row.assignee, 12)}", "chosen" if row.assignee == around.agent else "faint"))
    return found


def _writer(writer: Writer, around: Surroundings) -> Piece:
    """Gives a colleague who is writing, or has begun to."""
    name = cut(first_name(writer.agent, around), 12)
    if writer.is_writing(around.now):
        return Piece(f" ✎ {name} is writing since {_moment(writer.since, around)}", "late")
    return Piece(f" ✎ {name}", "faint")


def first_name(agent: str, around: Surroundings) -> str:
    """Gives what colleagues call an agent."""
    return around.people.get(agent, agent).partition(" ")[0] or agent


def _joined(left: Iterable[Piece], middle: Sequence[Piece], right: Iterable[Piece], width: int) -> list[Piece]:
    """Gives one line: what stands left and right as it is, what stands between cut to the room that is left.

    Where that would be less than half, the right side loses its first pieces.
    """
    left, right = list(left), list(right)
    room = width - sum(cell_len(piece.text) for piece in left)
    while right and sum(cell_len(piece.text) for piece in right) > room // 2:
        right.pop(0)
    room -= sum(cell_len(piece.text) for piece in right)
    shown: list[Piece] = []
    used = 0
    for piece in middle:
        gap = min(_GAP if shown else 0, room - used)
        text = cut(piece.text, room - used - gap)
        # Textual counts some sequences of emoji otherwise than the terminals' standard; its count must come out even.
        text = " " * gap + set_cell_size(text, min(cell_len(text), room - used - gap))
        used += cell_len(text)
        shown.append(Piece(text, piece.part))
    whole = [*left, *shown, Piece(" " * max(0, room - used)), *right]
    return [piece for piece in whole if piece.text]


def _fitted(text: str, cells: int) -> str:
    return set_cell_size(cut(text, cells), cells)
