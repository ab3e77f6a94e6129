"""The line on top: the shop, the agent, and what the agent must know now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from reviewdesk.commands import Keys
from reviewdesk.store.records import SourceState
from reviewdesk.text import cut, one_line, width


class Header(Widget):
    """Shows on the left where we are, on the right what is new, selected, on its way or broken.

    Args:
        shop, agent: names.
        zone: in which times are shown.
        keys: for what names them.
    """

    DEFAULT_CSS = """
    Header {
        dock: top;
        height: 1;
        background: $panel;
        color: $foreground;
        padding: 0 1;
        text-wrap: nowrap;
    }
    """

    unseen: reactive[tuple[int, int]] = reactive((0, 0))
    selected: reactive[int] = reactive(0)
    waiting: reactive[int] = reactive(0)
    sending: reactive[str] = reactive("")
    working: reactive[str] = reactive("")
    fault: reactive[str] = reactive("")
    scorer: reactive[str] = reactive("")

    def __init__(self, shop: str, agent: str, zone: tzinfo, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._shop = one_line(shop) or "reviewdesk"
        self._agent = one_line(agent)
        self._zone = zone

    def show_sources(self, sources: Iterable[SourceState], labels: dict[str, str]) -> None:
        """Takes the state of the sources; what is broken becomes a badge with a sentence and the next try's time."""
        self.fault = fault_sentence([each for each in sources if each.fault_kind], labels, self._zone)

    def render(self) -> Content:
        """Gives the line; what is most urgent keeps its room longest."""
        room = self.content_size.width
        name = f"{cut(self._shop, max(8, room // 3))} · {cut(self._agent, 12)}"
        parts: list[tuple[str, str]] = []
        if self.scorer:
            parts.append((f" ⚠ {cut(self.scorer, 80)} ", "$warning"))
        if self.fault:
            parts.append((f" ⚠ {self.fault} ", "$error bold"))
        if self.working:
            parts.append((f" {self.working} ", "$faint"))
        if self.waiting:
            waits = "1 reply waits" if self.waiting == 1 else f"{self.waiting:,} replies wait"
            parts.append((f" ‖ {waits} ({self._keys['outbox.list']}) ", "$error bold"))
        if self.selected:
            parts.append((f" {self.selected:,} selected ", "$accent bold"))
        if any(self.unseen):
            parts.append((f" {unseen_words(*self.unseen, self._keys['cursor.first'])} ", "$success bold"))
        if self.sending:
            parts.append((f" {self.sending} ", "$warning bold"))
        room -= width(name) + 1
        shown: list[tuple[str, str]] = []
        for text, style in reversed(parts):
            if room < 8:
                break
            text = cut(text, room) if width(text) > room else text
            room -= width(text)
            shown.append((text, style))
        return Content.assemble((name, "bold"), " " * (room + 1), *shown)


def unseen_words(above: int, below: int, key: str) -> str:
    """Gives how many new mentions are beyond the screen, and the key that goes to the top: "3 new above (g)"."""
    told = [f"{number:,} new {where}" for number, where in ((above, f"above ({key})"), (below, "below")) if number]
    return "↑ " * bool(above) + ", ".join(told) if above else f"↓ {told[0]}"


def fault_sentence(broken: list[SourceState], labels: dict[str, str], zone: tzinfo) -> str:
    """Gives what is wrong with the sources in one line; "" where nothing is."""
    if not broken:
        return ""
    worst = max(broken, key=lambda source: (source.parked, source.failures))
    name = labels.get(worst.id, worst.id)
    others = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    return f"{cut(name, 16)}{others}: {cut(worst.fault, 80)} {_next_try(worst, zone)}"


def _next_try(source: SourceState, zone: tzinfo) -> str:
    if source.parked:
        return "(waits for you)"
    if source.next_at is None:
        return ""
    return f"(again at {_clock(source.next_at, zone)})"


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"
