"""Conversations, replies and sources for the tests of the panes, and an app that holds nothing but one of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from reviewdesk.model import Author, Channel, DeliveryState, Kind, Mention, Severity, Status
from reviewdesk.store.records import Conversation, Note, Reply, Row, SourceState, Stored, Version, Writer
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.theme import OWN, VARIABLES

PRAGUE = ZoneInfo("Europe/Prague")
NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
HOSTILE = (
    "[/foo]",
    "[bold red]x[/]",
    "[@click=app.quit]press[/]",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "\u202egnp.exe\u2066",
    "a\x00b",
    "\ud800",
    "x" * 1_000_000,
    "Z" + "\u0315\u0300" * 5_000,
    "a\n" * 50_000,
    "\t\r\n\u2028",
    "日本語" * 400,
    "",
)


def around() -> Surroundings:
    return Surroundings(NOW, PRAGUE, "petr", {"shop": "Heureka CZ"}, {"eva": "Eva Malá"})


def hours(ago: float) -> datetime:
    return NOW - timedelta(hours=ago)


def mention(**fields: Any) -> Mention:
    values: dict[str, Any] = {"id": "m", "kind": Kind.REVIEW, "author": Author(name="Jana"), "created_at": hours(3)}
    return Mention(**values | fields)


def stored(of: Mention | None = None, **fields: Any) -> Stored:
    values: dict[str, Any] = {
        "id": 3,
        "source": "shop",
        "connector": "heureka",
        "mention": of or mention(text="Nothing works."),
        "thread": 1,
        "version": 1,
        "status": Status.OPEN,
        "assignee": "",
        "seen_at": hours(2),
        "changed_at": hours(2),
        "due_at": None,
        "snoozed_until": None,
        "answered_at": None,
        "closed_at": None,
        "gone_at": None,
        "liked": False,
        "assessment": None,
    }
    return Stored(**values | fields)


def reply(**fields: Any) -> Reply:
    values: dict[str, Any] = {
        "id": 1,
        "mention_id": 3,
        "key": "k",
        "channel": Channel.PUBLIC,
        "agent": "petr",
        "text": "We are sorry.",
        "state": DeliveryState.QUEUED,
        "created_at": hours(1),
        "updated_at": hours(1),
        "send_after": NOW + timedelta(seconds=8),
        "attempts": 0,
        "attempted_at": None,
        "remote_id": "",
        "remote_url": "",
        "remote_text": None,
        "posted_at": None,
        "fault": "",
        "fault_hint": "",
        "seen_until": hours(1),
        "seen_version": 1,
        "seen_mention": 0,
        "changes": (),
    }
    return Reply(**values | fields)


def row(**fields: Any) -> Row:
    values: dict[str, Any] = {
        "id": 9,
        "source": "shop",
        "connector": "heureka",
        "kind": Kind.REVIEW,
        "author": "Jana",
        "excerpt": "All was well.",
        "created_at": hours(900),
        "due_at": None,
        "rating": 4.5,
        "status": Status.ANSWERED,
        "complaint": False,
        "severity": Severity.NONE,
        "compound": 0.6,
        "assignee": "",
        "snoozed_until": None,
        "gone": False,
        "edited": False,
        "writers": (),
        "reply_state": None,
        "tags": (),
    }
    return Row(**values | fields)


def note(text: str) -> Note:
    return Note(id=1, agent="eva", text=text, at=hours(1))


def writer(agent: str, *, since: float = 1, at_it: bool = True) -> Writer:
    return Writer(agent=agent, since=hours(since), until=NOW + timedelta(seconds=30) if at_it else None)


def version(**fields: Any) -> Version:
    values: dict[str, Any] = {
        "version": 1,
        "seen_at": hours(2.5),
        "title": "",
        "text": "It broke.",
        "pros": (),
        "cons": (),
        "rating": None,
    }
    return Version(**values | fields)


def conversation(focus: Stored | None = None, **fields: Any) -> Conversation:
    focus = focus or stored()
    values: dict[str, Any] = {
        "focus": focus,
        "thread": (focus,),
        "replies": (),
        "history": (),
        "versions": (),
        "notes": (),
        "tags": (),
        "writers": (),
    }
    return Conversation(**values | fields)


def source(**fields: Any) -> SourceState:
    values: dict[str, Any] = {
        "id": "shop",
        "connector": "heureka",
        "title": "Heureka CZ",
        "capabilities": {},
        "polled_at": hours(0.1),
        "succeeded_at": hours(0.1),
        "next_at": NOW + timedelta(minutes=4),
        "failures": 0,
        "fault_kind": "",
        "fault": "",
        "fault_hint": "",
        "fault_since": None,
        "parked": False,
        "leased_until": None,
        "budget": None,
        "mentions": 12_034,
        "open_mentions": 17,
        "set_aside": 0,
    }
    return SourceState(**values | fields)


class Host(App[None]):
    """Holds one widget, and keeps what reaches it.

    Attributes:
        heard: the messages of the desk's own widgets and screens, in order.
    """

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets = widgets
        self.heard: list[Message] = []
        for theme in OWN:
            self.register_theme(theme)
        self.theme = OWN[0].name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        works = getattr(self.screen, "works", None)
        return works(*parameters) if works and action == "command" else super().check_action(action, parameters)

    def action_command(self, id: str) -> None:
        """Runs what a screen itself does for a command of the registry, as the desk does."""
        getattr(self.screen, "do_" + id.replace(".", "_"))()

    async def _on_message(self, message: Message) -> None:
        if type(message).__module__.startswith("reviewdesk."):
            self.heard.append(message)
        await super()._on_message(message)

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    async def shows(self, words: str) -> bool:
        """Tells whether words come to stand on the screen: a new size is laid out a while after it is there."""
        for _ in range(250):
            if words in self.screen_text():
                return True
            await asyncio.sleep(0.02)
        return False

    def screen_lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips[: self.size.height]]

    def screen_text(self) -> str:
        return "\n".join(self.screen_lines())
