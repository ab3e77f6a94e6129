"""Short questions on top of the desk: choose one, type a line, confirm; and the times at which a mention may wake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from reviewdesk.errors import NotAllowed
from reviewdesk.text import cut, fold, one_line, safe
from reviewdesk.tui.finding import Finder
from reviewdesk.tui.frame import Frame
from reviewdesk.tui.leaving import LeftOnce
from reviewdesk.tui.wording import duration

_FRAME = """
    align: center middle;
    background: $background 60%;
    Frame {
        width: 64;
        max-width: 92%;
        height: auto;
        max-height: 80%;
    }
    Input { border: none; padding: 0; height: 1; background: $surface; }
    OptionList { border: none; background: $surface; height: auto; max-height: 16; padding: 0; margin-top: 1; }
    OptionList:focus { border: none; }
    Static { height: auto; }
"""
_NEW = "+"
_BODY_MOST = 2_000
_MORNING, _AFTERNOON = time(9), time(16)
_SPAN = re.compile(r"\s*(\d{1,4})\s*(m|min|h|d|w)\s*\Z", re.IGNORECASE | re.ASCII)
_DAY = re.compile(r"\s*(\d{1,2})\.\s*(\d{1,2})\.(?:\s*(\d{4}))?(?:\s+(\d{1,2})[:.](\d\d))?\s*\Z", re.ASCII)
_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
_FURTHEST = timedelta(days=366)


class Choose(Finder[str]):
    """Lets the user choose one of `options` by typing a few of its letters; gives its id, None when left.

    Args:
        title: what is asked, in a few words.
        options: id and label, in the order in which they are offered.
        allow_new: whether what was typed may be given back as an id of its own.
        new: what the line calls an answer of one's own.
        check: gives the id for what was typed, where an answer may be typed; raises `NotAllowed` with a sentence where
            it is none. Only asked for what fits no option, or where `allow_new`.
    """

    DEFAULT_CSS = f"Choose {{ {_FRAME} }} Choose .fault {{ color: $error; display: none; }}"

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str]],
        allow_new: bool = False,
        *,
        new: str = "something new",
        check: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._options = list(options)
        self._new = new
        self._allow_new = allow_new or check is not None
        self._check = check

    def compose(self) -> ComposeResult:
        """Lays the question out."""
        with Frame(self._title, "⏎ chooses · esc leaves"):
            yield Input(placeholder="type to find" + (f", or {self._new}" if self._allow_new else ""), compact=True)
            yield OptionList(markup=False, compact=True)
            yield Static(classes="fault", markup=False)

    def offer(self, typed: str) -> None:
        """Offers the options that fit, and what was typed where that may be the answer."""
        self.query_one(".fault", Static).display = False
        found = fitting(typed, self._options)
        words = typed.strip()
        options = [Option(Content(safe(label[:200]).replace("\n", " ")), id=f"={id}") for id, label in found]
        if self._allow_new and words and words.casefold() not in {id.casefold() for id, _ in self._options}:
            typed_one = Option(Content.assemble("“", cut(words, 60), ("”", ""), ("  as typed", "$faint")), id=_NEW)
            options.insert(0 if self._is_answer(words) else len(options), typed_one)
        self.offered.set_options(options)
        self.offered.highlighted = 0 if options else None

    def _is_answer(self, typed: str) -> bool:
        """Tells whether what was typed is an answer by itself: `9:00` must not become tomorrow's."""
        if self._check is None:
            return False
        try:
            self._check(one_line(typed))
        except NotAllowed:
            return False
        return True

    def take(self, place: int) -> None:
        """Gives the id; what was typed and is no answer says why."""
        id = str(self.offered.get_option_at_index(place).id)
        if id != _NEW:
            self.dismiss(id[1:])
            return
        typed = one_line(self.query_one(Input).value)
        try:
            self.dismiss(self._check(typed) if self._check else typed)
        except NotAllowed as error:
            fault = self.query_one(".fault", Static)
            fault.update(Content(str(error)))
            fault.display = True


class Ask(ModalScreen[str | None], LeftOnce[str | None]):
    """Asks for a line of text; gives it, None when left.

    Args:
        title: what is asked, in a few words.
        initial: what stands there at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_none", "Leave", show=False)]
    DEFAULT_CSS = f"Ask {{ {_FRAME} }}"

    def __init__(self, title: str, initial: str = "") -> None:
        super().__init__()
        self._title = title
        self._initial = initial

    def compose(self) -> ComposeResult:
        """Lays the question out."""
        with Frame(self._title, "⏎ takes it · esc leaves"):
            yield Input(safe(self._initial), compact=True, select_on_focus=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(safe(event.value).strip())

    def action_dismiss_none(self) -> None:
        """Leaves without an answer."""
        self.dismiss(None)


class Confirm(ModalScreen[bool], LeftOnce[bool]):
    """Asks yes or no. Enter says yes, escape no.

    Args:
        title: the question.
        body: what speaks for or against it; may have several lines.
        yes: what yes does, in a word.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "answer(True)", "Yes", show=False),
        Binding("escape,n,q", "answer(False)", "No", show=False),
    ]
    DEFAULT_CSS = f"Confirm {{ {_FRAME} }} Confirm .answers {{ margin-top: 1; }}"

    def __init__(self, title: str, body: str, yes: str = "Yes") -> None:
        super().__init__()
        self._title = title
        self._body = body
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Lays the question out."""
        with Frame(self._title):
            body = safe(self._body[:_BODY_MOST]) + ("…" if len(self._body) > _BODY_MOST else "")
            yield Static(Content(body))
            yield Static(
                Content.assemble((" ⏎ ", "bold $accent"), cut(self._yes, 30), ("   esc ", "bold $accent"), "No"),
                classes="answers",
            )

    def action_answer(self, answer: bool) -> None:
        """Gives the answer."""
        self.dismiss(answer)


def fitting(typed: str, options: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Gives the options whose label or id fits what was typed, the best first; all of them where nothing was."""
    words = fold(one_line(typed[:100]))
    if not words:
        return list(options)
    matcher = Matcher(words)
    scored = [
        (max(matcher.match(fold(label[:200])), matcher.match(fold(id[:200]))), (id, label)) for id, label in options
    ]
    return [option for score, option in sorted(scored, key=lambda each: -each[0]) if score > 0]


class Wake(NamedTuple):
    """A time at which a snoozed mention may wake, aware and in UTC, and what it is called."""

    title: str
    moment: datetime


def wake_times(now: datetime, zone: tzinfo) -> list[Wake]:
    """Gives the times that are offered for snoozing, in the shop's clock, each later than `now`.

    Args:
        now: aware.
        zone: the shop's.
    """
    today = now.astimezone(zone).date()

    def at(days: int, clock: time) -> datetime:
        return datetime.combine(today + timedelta(days=days), clock, zone).astimezone(UTC)

    offered = [
        Wake("later today, 16:00", at(0, _AFTERNOON)),
        Wake("tomorrow, 9:00", at(1, _MORNING)),
        Wake("Monday, 9:00", at(7 - today.weekday(), _MORNING)),
        Wake("in a week", at(7, _MORNING)),
    ]
    found: dict[datetime, Wake] = {}
    for wake in offered:
        if wake.moment > now + timedelta(minutes=15):
            found.setdefault(wake.moment, wake)
    return list(found.values())


def parse_wake(answer: str, now: datetime, zone: tzinfo) -> datetime:
    """Gives the moment, aware and in UTC, that an answer means.

    It may be a title of `wake_times`; a span from now (`45m`, `2h`, `3d`, `1w`), days and weeks being counted on the
    shop's clock; a time of day (`14:30`), the next one to come; a day (`2026-12-01`, `1.12.2026`, or `1.12.` for the
    next one), at 9:00; or a day with its time (`2026-12-01 14:30`, `1. 12. 14:30`). A time that a change of clocks
    skips is moved on by what was skipped; of one that comes twice, the first is meant.

    Raises:
        NotAllowed: it is nothing of that kind, is over, or is more than a year away.
    """
    for wake in wake_times(now, zone):
        if wake.title == answer:
            return wake.moment
    moment = _read(one_line(answer[:60]), now.astimezone(zone), zone)
    if moment is None:
        raise NotAllowed(f"“{cut(answer, 40)}” is no time.", hint="Write 2h, 3d, 14:30, 24.12. or 2026-12-24 14:30.")
    if moment <= now:
        raise NotAllowed(f"That was {duration(now - moment)} ago.", hint="Write a time that is still to come.")
    if moment > now + _FURTHEST:
        raise NotAllowed("That is more than a year away.", hint="Close the mention instead.")
    return moment


def snooze_question(now: datetime, zone: tzinfo, *, of: str = "") -> Choose:
    """Gives the question until when to snooze; its answer goes to `parse_wake`, with the same `now` and `zone`.

    Args:
        of: what is snoozed, with a blank before it, for the title.
    """
    options = [
        (wake.title, f"{wake.title:<22}{local:%a} {local.day} {local:%b} {local.hour}:{local:%M}")
        for wake in wake_times(now, zone)
        for local in (wake.moment.astimezone(zone),)
    ]

    def check(typed: str) -> str:
        parse_wake(typed, now, zone)
        return typed

    return Choose(f"Snooze{of} until", options, new="2h, 3d, 14:30, 24.12. 14:30", check=check)


def _read(answer: str, local: datetime, zone: tzinfo) -> datetime | None:
    if span := _SPAN.match(answer):
        amount = timedelta(minutes=int(span[1]) * _MINUTES[span[2].lower()])
        if span[2].lower() in "dw":
            return datetime.combine(local.date() + amount, local.time(), zone).astimezone(UTC)
        return local.astimezone(UTC) + amount
    try:
        if named := _DAY.match(answer):
            day, month, year = int(named[1]), int(named[2]), int(named[3] or local.year)
            clock = time(int(named[4]), int(named[5])) if named[4] else _MORNING
            moment = datetime.combine(date(year, month, day), clock, zone)
            following = moment if named[3] or moment > local else moment.replace(year=year + 1)
            return following.astimezone(UTC)
        if re.fullmatch(r"\d{1,2}:\d\d", answer, re.ASCII):
            clock = time.fromisoformat(answer.zfill(5))
            moment = datetime.combine(local.date(), clock, zone).astimezone(UTC)
            following = datetime.combine(local.date() + timedelta(days=1), clock, zone).astimezone(UTC)
            return moment if moment > local else following
        if re.fullmatch(r"\d{4}-\d\d-\d\d", answer, re.ASCII):
            return datetime.combine(datetime.fromisoformat(answer).date(), _MORNING, zone).astimezone(UTC)
        found = datetime.fromisoformat(answer)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
