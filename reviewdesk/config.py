"""`reviewdesk.toml` read into a typed `Config`; every mistake at once, with file, line, key and what would be right.

The tables of the desk itself are checked here. A `[[source]]` table holds keys of its connector as well; those are
kept as they are, and `check_settings` checks them against the connector's own type once that is known.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from reviewdesk.errors import ConfigError
from reviewdesk.model import Guard
from reviewdesk.secrets import Secret
from reviewdesk.typed_toml import Check, Document, KeyPath, nearest, plain_type, shown, suggestion

FILE_NAME = "reviewdesk.toml"
_HOW_TO_BEGIN = "Write one with `reviewdesk init`, or look around without one with `reviewdesk demo`."
_BACKSLASH = "in a text in double quotes a \\ stands twice, in single quotes once"
_SYNTAX = (
    ("Invalid value", 'a text stands in straight quotes ("…"), true and false in small letters'),
    (
        "Expected newline or end of document",
        "one value stands on a line: a text in quotes, a number with a point (4.5)",
    ),
    ("Unescaped '\\'", _BACKSLASH),
    ("Invalid hex value", _BACKSLASH),
    ("Cannot declare", "the table stands there twice"),
    ("Cannot overwrite a value", "the key stands there twice"),
)
"""What is behind the parser's commonest words."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_Keys = dict[str, Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]]
S = TypeVar("S", bound=msgspec.Struct)

Id = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z", description="at most 40 letters, digits, - and _")
]
Language = Annotated[
    str,
    Meta(
        pattern=r"^(?!(cz|ua|at|gb|us)\Z)[a-z]{2}\Z",
        description='two small letters such as "cs"; "cz" is a country',
    ),
]
Signature = Annotated[
    str, Meta(pattern=r"^([^{}]|\{agent\}|\{shop\})*\Z", description="of the braces it knows {agent} and {shop}")
]
Hours = Annotated[float, Meta(gt=0, le=8760)]
Seconds = Annotated[int, Meta(ge=1, le=604800)]
PollSeconds = Annotated[float, Meta(gt=0, le=86400)]
PollMentions = Annotated[int, Meta(ge=1, le=10_000_000)]


class Opening(msgspec.Struct, frozen=True):
    """When the shop works on a day: spans of minutes since midnight, start and end, in order and apart."""

    spans: tuple[tuple[int, int], ...] = ()

    short_form: ClassVar[str] = 'hours such as "9:00-17:00" or "8:00-12:00, 13:00-17:00", "" for a free day'

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `9:00-17:00`, several spans with commas between them; an empty text is a free day.

        Raises:
            ValueError: it is nothing of that kind; the sentence tells what is wrong.
        """
        spans: list[tuple[int, int]] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = re.fullmatch(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)", part, re.ASCII)
            if not match:
                raise ValueError(f'"{shown(part)}" are no hours; write {cls.short_form}')
            first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
            start, end = first_hour * 60 + first_minute, last_hour * 60 + last_minute
            if max(first_minute, last_minute) > 59 or end > 24 * 60:
                raise ValueError(f'"{part}" is no time of day; they go from 0:00 to 24:00')
            if start >= end:
                raise ValueError(f'"{part}" ends before it begins')
            if spans and start < spans[-1][1]:
                raise ValueError(f'"{part}" overlaps the hours before it')
            spans.append((start, end))
        return cls(tuple(spans))


_WORKDAY = Opening(((9 * 60, 17 * 60),))


class BusinessHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the shop answers, day by day. As a text it speaks of Monday to Friday; a table names each day."""

    monday: Opening = Opening()
    tuesday: Opening = Opening()
    wednesday: Opening = Opening()
    thursday: Opening = Opening()
    friday: Opening = Opening()
    saturday: Opening = Opening()
    sunday: Opening = Opening()

    short_form: ClassVar[str] = 'hours such as "9:00-17:00" for Monday to Friday, or a table with a key for each day'

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads the hours of Monday to Friday. Raises `ValueError` as `Opening.from_text` does."""
        return cls(**dict.fromkeys(_WEEKDAYS[:5], Opening.from_text(text)))

    def __post_init__(self) -> None:
        if not any(self.week):
            raise ValueError("no day has any hours; a deadline would never come")

    @property
    def week(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The spans of each day in minutes since midnight, Monday first, as `date.weekday()` counts."""
        return tuple(getattr(self, day).spans for day in _WEEKDAYS)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of the tables."""


class Shop(_Table, frozen=True, kw_only=True):
    """`[shop]`: who answers.

    Attributes:
        name: as customers know it.
        language: ISO 639-1; of replies where a mention's language is not known.
        timezone: in which business hours are meant and times are shown.
        contact: where templates send a customer for more: an address, a number.
        signature: below a reply; `{agent}` and `{shop}` are put in.
    """

    name: str = ""
    language: Language = "cs"
    timezone: ZoneInfo = msgspec.field(default_factory=lambda: ZoneInfo("Europe/Prague"))
    contact: str = ""
    signature: Signature = "{agent}, {shop}"


class Desk(_Table, frozen=True, kw_only=True):
    """`[desk]`: how the desk itself works.

    Attributes:
        database: as written; `Config.database` is the path to use.
        agent: as written; `Config.agent` is who works here now.
        undo_seconds: for how long a sent reply can be taken back.
        theme: of the window; empty for its own.
        poll_seconds: how often a source is asked that does not say otherwise.
        poll_budget_seconds, poll_budget_mentions: what one poll of a source may take and bring; what is over is taken
            up at the next poll.
        hang_seconds: after how long of silence a third party's connector, in its own process, counts as hanging.
    """

    database: str = ""
    agent: str = ""
    undo_seconds: Annotated[int, Meta(ge=0, le=600)] = 10
    theme: str = ""
    poll_seconds: Seconds = 300
    poll_budget_seconds: PollSeconds = 900.0
    poll_budget_mentions: PollMentions = 50_000
    hang_seconds: PollSeconds = 60.0


class Deadlines(_Table, frozen=True, kw_only=True):
    """`[deadlines]`: when a first reply is due, in business hours.

    Attributes:
        complaint_hours, other_hours: the response targets.
        business_hours: in the shop's time zone.
        holidays: days on which nobody works, whatever the weekday.
    """

    complaint_hours: Hours = 4.0
    other_hours: Hours = 24.0
    business_hours: BusinessHours = BusinessHours(**dict.fromkeys(_WEEKDAYS[:5], _WORKDAY))
    holidays: tuple[date, ...] = ()


class Assess(_Table, frozen=True, kw_only=True):
    """`[assess]`: how mentions are read.

    Attributes:
        learn: False leaves people's corrections unlearned; they still hold for the mentions themselves.
        scorer: the name of a plugin that is asked as well; "" for none.
        scorer_settings: its own keys; its own type checks them.
        scorer_seconds: how long it may take for one batch of texts.
    """

    learn: bool = True
    scorer: str = ""
    scorer_settings: dict[str, Any] = {}
    scorer_seconds: PollSeconds = 20.0


class Agent(_Table, frozen=True, kw_only=True):
    """`[[agent]]`: a member of staff.

    Attributes:
        name: for colleagues and signatures; the id where empty.
        signature: instead of the shop's.
    """

    id: Id
    name: str = ""
    signature: Signature = ""


class _Source(_Table, frozen=True, kw_only=True):
    """What the desk itself reads from a `[[source]]` table."""

    id: Id
    connector: Annotated[str, Meta(min_length=1)]
    title: str = ""
    enabled: bool = True
    language: Language | None = None
    timezone: ZoneInfo | None = None
    poll_seconds: Seconds | None = None
    poll_budget_seconds: PollSeconds | None = None
    poll_budget_mentions: PollMentions | None = None
    response_hours: Hours | None = None
    guard: Guard = Guard.STRICT
    private_network: bool = False


class SourceConfig(_Source, frozen=True, kw_only=True):
    """`[[source]]`: one place that is listened to.

    Attributes:
        id: names it everywhere; unique.
        connector: the connector's name among the plugins.
        title: for people; empty for what the platform calls itself.
        enabled: False keeps it and never asks it.
        language: what its customers write, where it is always one.
        timezone: of the platform's times that come without one; None for the shop's.
        poll_seconds: how often it is asked; None for the desk's. A connector may demand longer pauses.
        poll_budget_seconds, poll_budget_mentions: instead of the desk's.
        response_hours: its own response target for every mention; None for `[deadlines]`.
        guard: how strictly a reply is held back when its thread has changed since it was approved.
        private_network: its addresses may lead to this machine or its network.
        settings: all other keys, as they are; `check_settings` gives them typed.
        position: its place among the sources in the file, from 0.
        document: the file, for the lines of its keys.
    """

    settings: dict[str, Any] = {}
    position: int = 0
    document: Document = msgspec.field(default_factory=Document)

    def __repr__(self) -> str:
        """Leaves the settings out: a secret may stand there in clear."""
        return f"SourceConfig(id={self.id!r}, connector={self.connector!r})"

    @property
    def at(self) -> str:
        """Names the source in a message: `reviewdesk.toml:12: [[source]] "fb"`."""
        return f'{self.document.at(("source", self.position))}: [[source]] "{self.id}"'


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration.

    Attributes:
        path: the file it was read from.
        database: the database file to use, absolute.
        agent: the id of the agent who works here now.
        keys: command id to its keys; only those that differ from the default.
    """

    path: Path
    database: Path
    agent: str
    shop: Shop
    desk: Desk
    deadlines: Deadlines
    assess: Assess
    agents: tuple[Agent, ...]
    keys: dict[str, tuple[str, ...]]
    sources: tuple[SourceConfig, ...]
    document: Document

    def agent_name(self, id: str) -> str:
        """Gives what an agent is called: the name, the id where there is none."""
        return next((agent.name for agent in self.agents if agent.id == id), "") or id

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is no mistake but should not stay so; `check_settings` adds secrets that stand in clear."""
        return tuple(self.document.warnings)

    def source(self, id: str) -> SourceConfig:
        """Gives a source by its id.

        Raises:
            ConfigError: there is none; the sentence names those there are.
        """
        for source in self.sources:
            if source.id == id:
                return source
        hint = suggestion(id, [source.id for source in self.sources])
        stop = "" if hint.endswith("?") else "."
        raise ConfigError(
            f'There is no source "{shown(id)}" in {self.path}.', hint=f"{hint[:1].upper()}{hint[1:]}{stop}"
        )


def load(
    path: Path | None = None,
    *,
    db: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    optional: bool = False,
    also: Callable[[Sequence[SourceConfig], Mapping[str, Sequence[str]], Document], Sequence[str]] | None = None,
) -> Config:
    """Reads and checks the configuration.

    Args:
        path: the file; else `REVIEWDESK_CONFIG`, `reviewdesk.toml` in the current folder or in the user's
            configuration folder.
        db: the database; else `REVIEWDESK_DB`, `[desk] database` (relative to the file), or one in the user's data
            folder.
        environ: the environment.
        optional: where no file is named and none is found, the defaults do, for work on a database alone.
        also: asked, where there are mistakes, for those that only rooms above can see, in the connectors' settings and
            the keys, so that a person hears of all at once.

    Raises:
        ConfigError: there is no file, it cannot be read, or it has mistakes; `problems` names them all.
    """
    found = find(path, environ, required=not optional)
    document, tables = _read(found) if found else (Document(FILE_NAME, Path.cwd(), ""), {})
    path = found or Path(FILE_NAME).absolute()
    check = Check(document)
    check.unknown_keys(tables, ("shop", "desk", "deadlines", "assess", "agent", "keys", "source"), ())
    shop = check.table(tables.get("shop", {}), Shop, ("shop",))
    desk = check.table(tables.get("desk", {}), Desk, ("desk",))
    deadlines = check.table(tables.get("deadlines", {}), Deadlines, ("deadlines",))
    assess = check.table(tables.get("assess", {}), Assess, ("assess",))
    keys = _keys(check, tables.get("keys", {}))
    people = list(_array(check, tables, "agent"))
    agents = [check.table(table, Agent, where) for where, table in people]
    sources = [_source(check, table, where) for where, table in _array(check, tables, "source")]
    # One whose table has mistakes is there all the same.
    ids = [table["id"] for _, table in people if isinstance(table, dict) and isinstance(table.get("id"), str)]
    if desk and desk.agent and ids and desk.agent not in ids:
        check.report(("desk", "agent"), f'no [[agent]] has the id "{shown(desk.agent)}"; {suggestion(desk.agent, ids)}')
    if check.problems:
        readable = [source for source in sources if source is not None]
        problems = [*check.lines(), *(also(readable, keys, document) if also else ())]
        raise ConfigError(f"{path} has {_mistakes(len(problems))}:", problems=sorted(problems, key=_line_of))
    return Config(
        path=path,
        database=_database(db, desk.database, path, environ),
        agent=_agent(desk.agent, environ),
        shop=shop,
        desk=desk,
        deadlines=deadlines,
        assess=assess,
        agents=tuple(agents),
        keys=keys,
        sources=cast(tuple[SourceConfig, ...], tuple(sources)),
        document=document,
    )


def check_settings(source: SourceConfig, type: type[S]) -> S:
    """Gives a source's settings as its connector's type.

    A `Secret` that the table leaves out and that has no default is looked for in `REVIEWDESK_<SOURCE ID>_<KEY>`. Of the
    desk's own keys (language, timezone, …) the connector gets those that its type declares. A secret that stands in the
    file in clear works, and is added to the configuration's warnings.

    Raises:
        ConfigError: `problems` names every mistake in this table.
    """
    declared = {field.encode_name: field for field in msgspec.structs.fields(type)}
    values: dict[str, Any] = dict(source.settings)
    for name in _Source.__struct_fields__:
        if name in declared and name not in values and (value := getattr(source, name)) is not None:
            values[name] = value.key if isinstance(value, ZoneInfo) else value
    for name, field in declared.items():
        if field.required and plain_type(field.type) is Secret and name not in values:
            values[name] = "env:" + _variable(f"reviewdesk_{source.id}_{name}")
    where = ("source", source.position)
    check = Check(source.document, names={where: source.id})
    # Where a file is read they never come so far; those that an option gives would count for nothing.
    for name in source.settings:
        if name in _Source.__struct_fields__ and name not in declared:
            check.report((*where, name), "it is the desk's own key and counts in the configuration alone")
    settings = check.table(values, type, where, also=_Source.__struct_fields__)
    if check.problems:
        sentence = f'The source "{source.id}" has {_mistakes(len(check.problems))} in its settings:'
        raise ConfigError(sentence, problems=check.lines())
    source.document.warnings.extend(note for note in check.warnings if note not in source.document.warnings)
    return cast(S, settings)


def _mistakes(count: int) -> str:
    return f"{count} mistakes" if count > 1 else "a mistake"


def _line_of(problem: str) -> int:
    """Gives the line that a problem names, so that problems can stand in the order of the file."""
    named = re.match(r"[^:]*:(\d+):", problem)
    return int(named.group(1)) if named else 0


def _variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def find(path: Path | None, environ: Mapping[str, str] = os.environ, *, required: bool = True) -> Path | None:
    """Gives the configuration file: the one that is named, else of the environment, of this folder, of the user.

    Raises:
        ConfigError: the one that is named is not there, or with `required` there is none.
    """
    if given := path or environ.get("REVIEWDESK_CONFIG"):
        named = Path(os.path.expanduser(given)).absolute()
        if not named.exists():
            raise ConfigError(f"There is no configuration file {named}.", hint=_HOW_TO_BEGIN)
        return named
    here = Path(FILE_NAME).absolute()
    if here.exists():
        return here
    import platformdirs

    users = platformdirs.user_config_path("reviewdesk", appauthor=False) / FILE_NAME
    if users.exists():
        return users
    if not required:
        return None
    raise ConfigError(f"There is no configuration: neither {here} nor {users} exists.", hint=_HOW_TO_BEGIN)


def _read(path: Path) -> tuple[Document, dict[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {error.strerror or error}.", hint="Look at its permissions."
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"The configuration {path} is not in UTF-8.",
            problems=[f"{path.name}:{line}: a byte that UTF-8 does not have; save the file as UTF-8"],
        ) from None
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = _syntax_problem(path.name, text, error)
        raise ConfigError(f"{path} is not readable as TOML:", problems=[problem]) from None
    return Document(path.name, path.parent, text), tables


def _syntax_problem(name: str, text: str, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"{name}: brackets in brackets without end"
    said = str(error)
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z", said)
    if not place:
        return f"{name}: {shown(said, 200)}"
    line = int(place[1] or text.rstrip("\n").count("\n") + 1)
    written = text.split("\n")[line - 1].strip()
    what = said[: place.start()]
    meant = next((hint for begin, hint in _SYNTAX if what.startswith(begin)), "")
    return f"{name}:{line}: {shown(what, 200)}, at `{_masked(written)}`{meant and f'; {meant}'}"


def _masked(line: str) -> str:
    """Gives a line of the file for a message: the key, and never a value that may be a secret."""
    name, equals, _ = line.partition("=")
    return shown(f"{name.strip()} = …" if equals else name)


def _keys(check: Check, table: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(table, dict):
        table = {command: [keys] if isinstance(keys, str) else keys for command, keys in table.items()}
    return cast(dict[str, tuple[str, ...]], check.value(table, _Keys, ("keys",)) or {})


def _array(check: Check, tables: Mapping[str, Any], name: str) -> Iterator[tuple[KeyPath, Any]]:
    """Gives the tables `[[name]]` with their places, and reports those that have the id of another."""
    entries = tables.get(name, [])
    if not isinstance(entries, list):
        check.report((name,), f"each {name} needs a table of its own under [[{name}]], with two brackets")
        return
    first: dict[str, KeyPath] = {}
    for position, entry in enumerate(entries):
        where = (name, position)
        yield where, entry
        named = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(named, str) and first.setdefault(named, where) != where:
            line = check.document.line((*first[named], "id"))
            check.report((*where, "id"), f"the {name} in line {line} has this id already; each needs its own")


def _source(check: Check, table: Any, where: KeyPath) -> SourceConfig | None:
    own, settings = table, {}
    if isinstance(table, dict):
        missing = [
            field.name for field in msgspec.structs.fields(_Source) if field.required and field.name not in table
        ]
        own = {
            name: value for name, value in table.items() if name in _Source.__struct_fields__ or nearest(name, missing)
        }
        settings = {name: value for name, value in table.items() if name not in own}
    source = check.table(own, _Source, where)
    if source is None:
        return None
    known = msgspec.structs.asdict(source)
    return SourceConfig(**known, settings=settings, position=int(where[-1]), document=check.document)


def _database(db: Path | None, written: str, path: Path, environ: Mapping[str, str]) -> Path:
    if named := db or environ.get("REVIEWDESK_DB"):
        return Path(os.path.expanduser(named)).absolute()
    if written:
        return path.parent / os.path.expanduser(written)
    import platformdirs

    return platformdirs.user_data_path("reviewdesk", appauthor=False) / "reviewdesk.db"


def _agent(written: str, environ: Mapping[str, str]) -> str:
    choices = (environ.get("REVIEWDESK_AGENT"), written, *map(environ.get, ("USER", "LOGNAME", "USERNAME")))
    return next(filter(None, choices), "agent")
