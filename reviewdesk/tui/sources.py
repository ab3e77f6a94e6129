"""The sources screen: how each source is, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from reviewdesk.commands import Context
from reviewdesk.model import Budget
from reviewdesk.store.records import SourceState
from reviewdesk.text import cut
from reviewdesk.tui.keys import bindings, modal_bindings
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.wording import ago, clock

_BUDGET_CELLS = 10
_INDENT = 11


class SourcesScreen(Screen[None]):
    """Lists the sources that `show` was given, the broken ones first.

    Args:
        around: gives the time and the shop's timezone, at the time of painting.
    """

    context = Context.SOURCES
    BINDINGS = [*bindings(Context.SOURCES), *modal_bindings("dismiss", "escape,q", "Back")]  # noqa: RUF012
    DEFAULT_CSS = """
    SourcesScreen {
        background: $surface;
        #title { height: 1; padding: 0 1; background: $panel; }
        OptionList { height: 1fr; border: none; padding: 0 1; background: $surface; scrollbar-size-vertical: 1; }
        OptionList:focus { border: none; background-tint: $foreground 0%; }
        OptionList > .option-list--option-highlighted,
        OptionList:focus > .option-list--option-highlighted {
            background: $primary 22%;
            color: $foreground;
            text-style: none;
        }
    }
    """

    @dataclass
    class PollWanted(Message):
        """The user wants this source to be polled now."""

        source: str

    @dataclass
    class ResumeWanted(Message):
        """The user has mended what a parked source waits for, and wants it polled again."""

        source: str

    def __init__(self, around: Callable[[], Surroundings] | None = None) -> None:
        super().__init__()
        self._around = around or (lambda: Surroundings(datetime.now(UTC), UTC, "", {}))
        self._states: list[SourceState] = []

    def compose(self) -> ComposeResult:
        """Lays the screen out."""
        yield Static(id="title", markup=False)
        yield OptionList(markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Shows what was given before."""
        self.show(self._states)
        self.query_one(OptionList).focus()

    @property
    def source(self) -> str:
        """The id of the source under the cursor; "" for none."""
        place = self.query_one(OptionList).highlighted if self.query(OptionList) else None
        return self._states[place].id if place is not None and place < len(self._states) else ""

    def show(self, states: Sequence[SourceState]) -> None:
        """Shows how the sources are; the cursor stays on its source."""
        before = self.source
        self._states = sorted(states, key=lambda state: (not state.parked, not state.fault_kind))
        if not self.query(OptionList):
            return
        around = self._around()
        offered = self.query_one(OptionList)
        offered.set_options([Option(describe(state, around)) for state in self._states])
        places = [place for place, state in enumerate(self._states) if state.id == before]
        offered.highlighted = places[0] if places else 0 if self._states else None
        broken = sum(bool(state.fault_kind) for state in self._states)
        if not self._states:
            title = Content.styled("No source yet: write a [[source]] table into reviewdesk.toml.", "$warning")
        else:
            well = f"{broken} of them not well" if broken else "all well"
            title = Content.assemble(
                ("Sources", "bold"), f"  {len(self._states)}, ", (well, "bold $error" if broken else "$success")
            )
        self.query_one("#title", Static).update(title)

    def do_source_poll(self) -> None:
        """Asks for a poll of the source under the cursor."""
        if self.source:
            self.post_message(self.PollWanted(self.source))

    def do_source_resume(self) -> None:
        """Asks for the source under the cursor to be resumed, where it is parked."""
        state = next((each for each in self._states if each.id == self.source), None)
        if state and state.parked:
            self.post_message(self.ResumeWanted(state.id))
        elif state:
            self.notify("This source is not parked; it is polled by itself.", markup=False)


def describe(state: SourceState, around: Surroundings) -> Content:
    """Gives all that is to be said about a source, some lines of it."""
    badge, style = _badge(state, around)
    title, told = cut(state.title or state.id, 50), f"  {cut(state.id, 40)} · {cut(state.connector, 30)}"
    lines = [
        Content.assemble((f"{badge:<{_INDENT}}", f"bold {style}"), (title, "bold"), (told, "$faint")),
        _indented(_facts(state, around)),
    ]
    if state.budget:
        lines.append(_indented(_budget(state.budget, around)))
    if state.fault_kind:
        since = f" since {clock(state.fault_since, around)}" if state.fault_since else ""
        times = f", {state.failures:,} times in a row" if state.failures > 1 else ""
        fault = (cut(state.fault or state.fault_kind, 400), style)
        lines.append(_indented(Content.assemble(fault, (since + times, "$faint"))))
        if state.fault_hint:
            lines.append(_indented(Content(f"→ {cut(state.fault_hint, 400)}")))
    if state.parked:
        docs = f"docs/{cut(state.connector, 30)}.md tells more"
        lines.append(_indented(Content.styled(f"It is not polled until you resume it; {docs}.", "$faint")))
    return Content("\n").join([*lines, Content("")])


def _indented(line: Content) -> Content:
    return Content(" " * _INDENT) + line


def _badge(state: SourceState, around: Surroundings) -> tuple[str, str]:
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
        facts.append((f"{state.set_aside:,} set aside", "$warning"))
    facts.append(
        (f"last well {ago(state.succeeded_at, around)}" if state.succeeded_at else "never polled well", "$faint")
    )
    if state.next_at and not state.parked:
        facts.append(("due now" if state.next_at <= around.now else f"next {ago(state.next_at, around)}", "$faint"))
    return Content.styled(" · ", "$faint").join([Content.styled(text, style) for text, style in facts])


def _budget(budget: Budget, around: Surroundings) -> Content:
    parts: list[tuple[str, str]] = [("budget ", "$faint")]
    if budget.used is not None:
        used = round(min(max(budget.used, 0.0), 1.0) * _BUDGET_CELLS)
        style = "$error" if budget.used >= 1 else "$warning" if budget.used >= 0.75 else "$success"
        parts += [("▰" * used, style), ("▱" * (_BUDGET_CELLS - used), "$faint"), (f" {budget.used:.0%}", "$faint")]
    if budget.until and budget.until > around.now:
        parts.append((f" until {clock(budget.until, around)}", "$faint"))
    if budget.note:
        parts.append((f" {cut(budget.note, 60)}", "$faint"))
    return Content.assemble(*parts)
