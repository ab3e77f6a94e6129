"""What a user can do, in one registry: keys, palette, footer, help screen, documentation and tests read it.

A command has an id of a noun and a verb, a title, a sentence of help, its keys and the contexts in which the keys work.
Two commands may share a key only where they share no context. Keys are named as Textual names them ("ctrl+s",
"shift+down", "escape"); a printable key stands for itself ("?", "G").
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from reviewdesk.errors import ConfigError
from reviewdesk.model import Record
from reviewdesk.text import cut


class Context(StrEnum):
    """Where the keyboard is; `ANYWHERE` stands for all of them, texts being written excepted."""

    LIST = "list"
    CONVERSATION = "conversation"
    COMPOSER = "composer"
    SOURCES = "sources"
    OUTBOX = "outbox"
    ANYWHERE = "anywhere"


PANES = (Context.LIST, Context.CONVERSATION, Context.SOURCES, Context.OUTBOX)
"""Where one goes up and down, and what can be left."""


class Command(Record, frozen=True, kw_only=True):
    """One thing that a user can do.

    Attributes:
        id: noun.verb, stable; `[keys]` in the configuration names it.
        title: a few words for footer and palette.
        help: one sentence for the palette and the help screen.
        keys: what runs it, the first one is shown; may be empty, then the palette alone runs it.
        contexts: where the keys work.
        show_in_footer: whether it is worth the footer's room.
        asks: whether it puts up something to write into or to choose from; what is typed behind it is meant for that.
    """

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    contexts: tuple[Context, ...]
    show_in_footer: bool = False
    asks: bool = False


_LIST = (Context.LIST,)
_MENTION = (Context.LIST, Context.CONVERSATION)
_COMPOSER = (Context.COMPOSER,)
_SOURCES = (Context.SOURCES,)
_OUTBOX = (Context.OUTBOX,)
_ANYWHERE = (Context.ANYWHERE,)


_ASKING = {
    "reply.write", "reply.template", "mention.snooze", "mention.assign", "mention.tag", "mention.untag",
    "mention.note", "mention.correct", "outbox.take_back", "outbox.amend", "outbox.delete", "theme.change",
}  # fmt: skip


def _command(
    id: str, keys: str, contexts: tuple[Context, ...], title: str, help: str, *, footer: bool = False
) -> Command:
    return Command(
        id=id,
        title=title,
        help=help,
        keys=tuple(keys.split()),
        contexts=contexts,
        show_in_footer=footer,
        asks=id in _ASKING,
    )


# fmt: off
COMMANDS: tuple[Command, ...] = (
    _command("mention.open", "enter l", _LIST, "Open", "Reads the conversation of the mention.", footer=True),
    _command("reply.write", "r", _MENTION, "Reply", "Opens the composer with your draft.", footer=True),
    _command("reply.template", "t", _MENTION, "Template", "Replies from a template that suits it.", footer=True),
    _command("mention.close", "e", _MENTION, "Close", "Closes the mentions: no reply is needed.", footer=True),
    _command("mention.snooze", "s", _MENTION, "Snooze", "Hides the mentions until a time you choose.", footer=True),
    _command("mention.assign", "a", _MENTION, "Assign", "Gives the mentions to a colleague or to nobody.", footer=True),
    _command("mention.take", "A", _MENTION, "Assign to me", "Takes the mentions yourself."),
    _command("mention.reopen", "E", _MENTION, "Reopen", "Opens closed or snoozed mentions again."),
    _command("mention.tag", "plus", _MENTION, "Tag", "Puts a tag on the mentions."),
    _command("mention.untag", "minus", _MENTION, "Remove tag", "Takes a tag off the mentions."),
    _command("mention.note", "m", _MENTION, "Note", "Writes a note for colleagues; the public never sees it."),
    _command("mention.correct", "w", _MENTION, "Correct", "Says how it should have been read; the desk learns it."),
    _command("mention.complaint", "W", _MENTION, "Complaint or not", "Says that it is one, or is none."),
    _command("mention.confirm", "equals_sign", _MENTION, "Read rightly", "Says so; the desk learns from that too."),
    _command("mention.browse", "o", _MENTION, "Open in browser", "Opens the mention's own page in the browser."),
    _command("mention.copy", "c", _MENTION, "Copy", "Copies the customer's text."),
    _command("mention.hide", "H", _MENTION, "Hide", "Hides it on its platform, or shows it again."),
    _command("mention.like", "L", _MENTION, "Like", "Likes it as the shop, or takes that back."),
    _command("reply.confirm", "y", _MENTION, "Confirm reply", "Decides on a reply: by hand, unknown or held."),
    _command("mention.next", "n", _MENTION, "Next", "Goes to the next mention."),
    _command("mention.previous", "p", _MENTION, "Previous", "Goes to the mention before."),
    _command("cursor.down", "j down", PANES, "Down", "Goes one line down."),
    _command("cursor.up", "k up", PANES, "Up", "Goes one line up."),
    _command("cursor.page_down", "pagedown ctrl+d space", PANES, "Page down", "Goes one screen down."),
    _command("cursor.page_up", "pageup ctrl+u", PANES, "Page up", "Goes one screen up."),
    _command("cursor.first", "g home", PANES, "First", "Goes to the top."),
    _command("cursor.last", "G end", PANES, "Last", "Goes to the end."),
    _command("mention.select", "x", _LIST, "Select", "Selects it, or no longer; commands take all selected."),
    _command("selection.down", "J shift+down", _LIST, "Select down", "Selects on the way down."),
    _command("selection.up", "K shift+up", _LIST, "Select up", "Selects on the way up."),
    _command("selection.all", "asterisk ctrl+a", _LIST, "Select all", "Selects all mentions of the list."),
    _command("reply.send", "ctrl+s ctrl+enter", _COMPOSER, "Send", "Sends it; undo takes it back.", footer=True),
    _command("reply.fill", "ctrl+t", _COMPOSER, "Template", "Fills the composer from a template.", footer=True),
    _command("reply.channel", "ctrl+r", _COMPOSER, "Channel", "Switches between public and private."),
    _command("reply.leave", "escape", _COMPOSER, "Leave", "Leaves the composer; the draft is kept.", footer=True),
    _command("source.poll", "p", _SOURCES, "Poll", "Asks this source for what is new.", footer=True),
    _command("source.resume", "r", _SOURCES, "Resume", "Lets a parked source be polled again.", footer=True),
    _command("outbox.posted", "y", _OUTBOX, "It is posted", "Says that the reply is on its platform.", footer=True),
    _command("outbox.missing", "n", _OUTBOX, "Not posted", "Says that it is not: it goes out again.", footer=True),
    _command("outbox.release", "r", _OUTBOX, "Send anyway", "Sends a held reply all the same.", footer=True),
    _command("outbox.take_back", "w", _OUTBOX, "Take back", "Makes it a draft again, if it is not out.", footer=True),
    _command("outbox.drop", "d", _OUTBOX, "Drop", "Withdraws it for good, if it is not out.", footer=True),
    _command("outbox.amend", "e", _OUTBOX, "Edit", "Changes the reply where it stands, on its platform.", footer=True),
    _command("outbox.delete", "X", _OUTBOX, "Delete", "Deletes the reply from its platform.", footer=True),
    _command("outbox.open", "enter o", _OUTBOX, "Open", "Reads the mention that it answers.", footer=True),
    # A Czech and a Slovak keyboard have these letters where others have the digits; + is Tag on all of them.
    _command("view.complaints", "1", _ANYWHERE, "Complaints", "Shows the open complaints, the most urgent first."),
    _command("view.needs_reply", "2 ě ľ", _ANYWHERE, "Needs reply", "Shows everything that waits for a reply."),
    _command("view.mine", "3 š", _ANYWHERE, "Mine", "Shows what is assigned to you."),
    _command("view.overdue", "4 č", _ANYWHERE, "Overdue", "Shows what should have been answered by now."),
    _command("view.snoozed", "5 ř ť", _ANYWHERE, "Snoozed", "Shows what sleeps, the first to wake on top."),
    _command("view.outbox", "6 ž", _ANYWHERE, "Outbox", "Shows the mentions with replies on their way."),
    _command("view.all", "7 ý", _ANYWHERE, "All", "Shows every mention, the newest first."),
    _command("change.undo", "u", _ANYWHERE, "Undo", "Takes the last change or sending back.", footer=True),
    _command("search.start", "slash", _ANYWHERE, "Search", "Finds mentions by words, accents or none.", footer=True),
    _command("palette.open", "colon ctrl+p", _ANYWHERE, "Commands", "Finds any command by its name."),
    _command("help.show", "question_mark f1", _ANYWHERE, "Help", "Shows every key.", footer=True),
    _command("pane.back", "escape", PANES, "Back", "Leaves what is on top: page, search or selection."),
    _command("pane.next", "tab", _ANYWHERE, "Next pane", "Goes to the next pane."),
    _command("pane.previous", "shift+tab", _ANYWHERE, "Previous pane", "Goes to the pane before."),
    _command("poll.start", "P", _ANYWHERE, "Poll now", "Asks every source for what is new, now."),
    _command("outbox.send", "D", _ANYWHERE, "Deliver now", "Sends what waits in the outbox, now."),
    _command("outbox.list", "O", _ANYWHERE, "Replies", "Shows the replies on their way, and those that wait for you."),
    _command("source.list", "S", _ANYWHERE, "Sources", "Shows the state of every source."),
    _command("theme.change", "T", _ANYWHERE, "Theme", "Chooses the colours."),
    _command("desk.quit", "q ctrl+q", _ANYWHERE, "Quit", "Leaves the page on top, then the desk; keeps drafts."),
)
# fmt: on
"""Every command, in the order of the help screen."""

_BY_ID = {command.id: command for command in COMMANDS}

_SHORT_NAMES = {"+": "plus", "-": "minus", "/": "slash", "\\": "backslash", "@": "at", "_": "underscore"}
_PRINTABLE = {
    # Textual names a sign by its Unicode name, but for a few.
    _SHORT_NAMES.get(sign, unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")): sign
    for sign in string.punctuation
}
_SHOWN = {
    **_PRINTABLE,
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "enter": "⏎",
    "tab": "⇥",
}
_MODIFIERS = {"ctrl", "shift", "alt", "meta", "super", "hyper"}
_NAMED = {
    *("escape", "enter", "tab", "space", "backspace", "delete", "insert"),
    *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
    *(f"f{number}" for number in range(1, 25)),
}
_PLACE = re.compile(r"\{([a-z]+\.[a-z_]+)\}")
_SUCH_AS = "write one such as d, ctrl+d or f5"
_NAMES = {
    **{shown: name for name, shown in _PRINTABLE.items()},
    **{"esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown"},
}


def command(id: str) -> Command:
    """Gives the command of an id.

    Raises:
        KeyError: there is none; ids in the program are checked by tests.
    """
    return _BY_ID[id]


def in_context(context: Context, commands: Iterable[Command] = COMMANDS) -> tuple[Command, ...]:
    """Gives the commands whose keys work in a context, those that work anywhere among them."""
    return tuple(each for each in commands if context in each.contexts or Context.ANYWHERE in each.contexts)


def key_name(key: str) -> str:
    """Gives a key as Textual names it: `+` -> `plus`, `Ctrl+S` -> `ctrl+s`, `esc` -> `escape`.

    A lone letter keeps its case.
    """
    key = key.strip()
    if len(key) == 1 or key in _NAMES:
        return _NAMES.get(key, key)
    *modifiers, last = key.split("+") if not key.endswith("+") else [*key[:-1].rstrip("+").split("+"), "+"]
    last = last if len(last) == 1 and not modifiers else last.lower()
    return "+".join([*(modifier.strip().lower() for modifier in modifiers), _NAMES.get(last, last)])


def _is_key(name: str) -> bool:
    *modifiers, last = name.split("+")
    return (len(last) == 1 or last in _PRINTABLE or last in _NAMED) and _MODIFIERS.issuperset(modifiers)


def is_printable(key: str) -> bool:
    """Tells whether a key, as Textual names it, writes a letter or a sign where a text is being written."""
    return len(key) == 1 or key in _PRINTABLE or key == "space"


def key_label(key: str) -> str:
    """Gives a key as people read it: `plus` -> `+`, `ctrl+s` -> `^s`, `escape` -> `esc`."""
    *modifiers, last = key.split("+")
    label = _SHOWN.get(last, last)
    for modifier in reversed(modifiers):
        label = {"ctrl": "^", "shift": "⇧", "alt": "alt+"}.get(modifier, modifier + "+") + label
    return label


class Keys:
    """The names of keys for sentences that tell which one to press.

    Args:
        commands: with the keys that the user has given them.
    """

    def __init__(self, commands: Iterable[Command] = COMMANDS) -> None:
        self._commands = {each.id: each for each in commands}

    def __getitem__(self, id: str) -> str:
        """Gives the first key of a command as people read it; of a command without keys its title in quotes.

        Raises:
            KeyError: there is no such command.
        """
        found = self._commands[id]
        return key_label(found.keys[0]) if found.keys else f"“{found.title}”"

    def put_into(self, sentence: str) -> str:
        """Gives a sentence with the key in the place of each `{command.id}`.

        Raises:
            KeyError: there is no such command.
        """
        return _PLACE.sub(lambda found: self[found[1]], sentence)


def with_keys(
    overrides: Mapping[str, Sequence[str]], *, at: Callable[[str], str] = lambda name: "reviewdesk.toml"
) -> tuple[Command, ...]:
    """Gives every command with the user's keys in place of its own.

    Args:
        overrides: command id to its keys, as `[keys]` of the configuration holds them.
        at: gives the place of a command's keys in the file, for the messages.

    Raises:
        ConfigError: `problems` names every unknown id, empty key and clash.
    """
    problems = [f"{at(id)}: {_unknown(id)}" for id in overrides if id not in _BY_ID]
    for id, keys in overrides.items():
        for key in keys:
            if not key.strip():
                problems.append(f'{at(id)}: [keys] "{id}": a key is empty; {_SUCH_AS}')
            elif not _is_key(key_name(key)):
                problems.append(f'{at(id)}: [keys] "{id}": there is no key "{cut(key, 40)}"; {_SUCH_AS}')
    changed = tuple(
        msgspec.structs.replace(each, keys=tuple(dict.fromkeys(key_name(key) for key in overrides[each.id])))
        if each.id in overrides
        else each
        for each in COMMANDS
    )
    places = {id: at(id) for id in overrides}
    problems += [f"{_place(clash, places)}: {_told(clash)}" for clash in _clashes(changed, set(overrides))]
    if problems:
        raise ConfigError(f"The table [keys] has {_count(len(problems))}:", problems=problems)
    return changed


def clashes(commands: Iterable[Command]) -> list[str]:
    """Gives a sentence for each key that two commands claim in one context."""
    return [_told(clash) for clash in _clashes(tuple(commands), None)]


def _place(clash: tuple[str, str, str], places: Mapping[str, str]) -> str:
    return next(places[id] for id in reversed(clash) if id in places)


def _told(clash: tuple[str, str, str]) -> str:
    key, one, other = clash
    return f'[keys] "{key_label(key)}" is both {one} and {other}; give one of them another key'


def _clashes(commands: Sequence[Command], of_interest: set[str] | None) -> list[tuple[str, str, str]]:
    found: dict[tuple[str, str, str], None] = {}
    # Where a text is written, the keys that work anywhere else are letters of that text or the composer's own.
    contexts = [context for context in Context if context not in (Context.ANYWHERE, Context.COMPOSER)]
    groups = [in_context(context, commands) for context in contexts]
    groups.append(tuple(each for each in commands if Context.COMPOSER in each.contexts))
    for group in groups:
        holder: dict[str, Command] = {}
        for each in group:
            for key in each.keys:
                other = holder.setdefault(key, each)
                if other.id != each.id and (of_interest is None or {each.id, other.id} & of_interest):
                    found[key, other.id, each.id] = None
    return list(found)


def _unknown(id: str) -> str:
    near = difflib.get_close_matches(id, _BY_ID, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "; the help screen lists the commands"
    return f'[keys] "{id}": there is no such command{hint}'


def _count(mistakes: int) -> str:
    return "1 mistake" if mistakes == 1 else f"{mistakes} mistakes"
