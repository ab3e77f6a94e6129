"""The sources screen: how each source is, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message

from reviewdesk.commands import Context
from reviewdesk.model import Budget
from reviewdesk.store.records import SourceState
from reviewdesk.text import cut
from reviewdesk.tui.difference import hanging
from reviewdesk.tui.keys import bindings
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.overview import Overview
from reviewdesk.tui.wording import ago, clock

_BUDGET_CELLS = 10
_INDENT = 11


class SourcesScreen(Overview):
    """Lists the sources that `show` was given, the broken ones first.

    Args:
        around: gives the time and the shop's timezone, at the time of painting.
    """

    context = Context.SOURCES
    BINDINGS = bindings(Context.SOURCES)

    @dataclass
    class PollWanted(Message):
        """The user wants this source to be polled now."""

        source: str

    @dataclass
    class ResumeWanted(Message):
        """The user has mended what a parked source waits for, and wants it polled again."""

        source: str

    def __init__(self, around: Callable[[], Surroundings]) -> None:
        super().__init__(around)
        self._states: list[SourceState] = []

    def repaint(self) -> None:
        """Shows the sources again, for the time and the width that there are now."""
        self.show(self._states)

    @property
    def state(self) -> SourceState | None:
        """The source under the cursor; None where there is none."""
        return self._states[self.place] if 0 <= self.place < len(self._states) else None

    def show(self, states: Sequence[SourceState]) -> None:
        """Shows how the sources are; the cursor stays on its source."""
        before = self.state
        self._states = sorted(states, key=lambda state: (not state.parked, not state.fault_kind))
        places = [place for place, state in enumerate(self._states) if before and state.id == before.id]
        broken = sum(bool(state.fault_kind) for state in self._states)
        if not self._states:
            title = Content.styled("No source yet: write a [[source]] table into reviewdesk.toml.", "$warning")
        else:
            well = f"{broken} of them not well" if broken else "all well"
            title = Content.assemble(
                ("Sources", "bold"), f"  {len(self._states)}, ", (well, "bold $error" if broken else "$success")
            )
        around = self.around()
        self.put(title, [describe(state, around, self.room) for state in self._states], places[0] if places else None)

    def works(self, id: str) -> bool:
        """Tells whether a command works on the source under the cursor."""
        if id == "source.resume":
            return self.state is not None and self.state.parked
        return self.state is not None if id == "source.poll" else True

    def do_source_poll(self) -> None:
        """Asks for a poll of the source under the cursor."""
        if self.state:
            self.post_message(self.PollWanted(self.state.id))

    def do_source_resume(self) -> None:
        """Asks for the source under the cursor to be resumed, where it is parked."""
        if self.state and self.state.parked:
            self.post_message(self.ResumeWanted(self.state.id))
        elif self.state:
            self.notify("This source is not parked; it is polled by itself.", markup=False)


def describe(state: SourceState, around: Surroundings, room: int) -> Content:
    """Gives all that is to be said about a source, in lines of at most `room` cells."""
    badge, style = _badge(state, around)
    title, told = cut(state.title or state.id, 50), f"  {cut(state.id, 40)} · {cut(state.connector, 30)}"
    told += f" · {state.tier}" if state.tier else ""
    facts = [_facts(state, around)]
    if state.budget:
        facts.append(_budget(state.budget, around))
    facts += [Content.styled(cut(notice, 400), "$warning") for notice in state.notices]
    if state.fault_kind:
        since = f" · since {clock(state.fault_since, around)}" if state.fault_since else ""
        times = f", {state.failures:,} times in a row" if state.failures > 1 else ""
        fault = (cut(state.fault or state.fault_kind, 400), style)
        facts.append(Content.assemble(fault, (since + times, "$faint")))
        if state.fault_hint:
            facts.append(Content(f"→ {cut(state.fault_hint, 400)}"))
    if state.disabled:
        how = f"It is switched off. On again: reviewdesk sources enable {cut(state.id, 40)}"
        facts.append(Content.styled(how, "$faint"))
    elif state.parked:
        docs = f"docs/platforms/{cut(state.connector, 30)}.md tells more"
        facts.append(Content.styled(f"It is not polled until you resume it; {docs}.", "$faint"))
    gutter = Content(" " * _INDENT)
    first = Content.assemble((f"{badge:<{_INDENT}}", f"bold {style}"), (title, "bold"), (told, "$faint"))
    lines = [line for fact in facts for line in hanging(gutter, fact, room)]
    return Content("\n").join([first.truncate(room, ellipsis=True), *lines, Content("")])


def _badge(state: SourceState, around: Surroundings) -> tuple[str, str]:
    if state.disabled:
        return "□ off", "$faint"
    if state.parked:
        return "■ parked", "$error"
    if state.leased_until and state.leased_until > around.now:
        return "↻ polling", "$accent"
    if state.fault_kind:
        return "▲ failing", "$warning"
    return ("● well", "$success") if state.succeeded_at else ("○ new", "$faint")


def _facts(state: SourceState, around: Surroundings) -> Content:
    counts = f"{state.mentions:,} mentions, {state.open_mentions:,} open"
    facts: list[tuple[str, str]] = [(counts, "")]
    if state.set_aside:
        facts.append((f"{state.set_aside:,} set aside, see: reviewdesk quarantine", "$warning"))
    facts.append(
        (f"last well {ago(state.succeeded_at, around)}" if state.succeeded_at else "never polled well", "$faint")
    )
    if state.next_at and not state.parked and not state.disabled:
        facts.append(("due now" if state.next_at <= around.now else f"next {ago(state.next_at, around)}", "$faint"))
    return Content.styled(" · ", "$faint").join([Content.styled(text, style) for text, style in facts])


def _budget(budget: Budget, around: Surroundings) -> Content:
    parts: list[tuple[str, str]] = [("budget ", "$faint")]
    if budget.used is not None:
        used = round(min(max(budget.used, 0.0), 1.0) * _BUDGET_CELLS)
        style = "$error" if budget.used >= 1 else "$warning" if budget.used >= 0.75 else "$success"
        parts += [("▰" * used, style), ("▱" * (_BUDGET_CELLS - used), "$faint"), (f" {budget.used:.0%} used", "$faint")]
    if budget.until and budget.until > around.now:
        parts.append((f" until {clock(budget.until, around)}", "$faint"))
    if budget.note:
        parts.append((f" · {cut(budget.note, 60)}", "$faint"))
    return Content.assemble(*parts)
