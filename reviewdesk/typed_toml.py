"""A TOML document turned into typed structs; what is wrong with it is collected, each with its line and in words.

msgspec stops at the first mistake and knows no lines, so tables are walked field by field here and single values
are left to it. The line of a key is found by parsing ever longer beginnings of the document, only once there is
something to complain about.
"""

from __future__ import annotations

import builtins
import os.path
import tomllib
import types
import typing
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Union
from zoneinfo import ZoneInfo

import msgspec

from reviewdesk.secrets import Secret

KeyPath = tuple[str | int, ...]
"""Where a value stands in the document: ("source", 0, "page_id")."""


class Document:
    """A TOML text that can be asked for the lines of its keys.

    Args:
        name: the file's name in messages.
        folder: what relative paths in it are relative to.
        text: must be readable as TOML.

    Attributes:
        beside: the folder of the file; None where there is no file.
    """

    def __init__(self, name: str = "the configuration", folder: Path | None = None, text: str = "") -> None:
        self.name = name
        self.folder = folder or Path()
        self.beside = folder if text else None
        self.warnings: list[str] = []
        self._lines = text.split("\n")
        self._beginnings: dict[int, dict[str, Any] | None] = {}

    def value(self, where: KeyPath) -> Any:
        """Gives the value of a key.

        Raises:
            LookupError: there is no such key.
        """
        return _value_at(self._beginning(len(self._lines)), where)

    def line(self, where: KeyPath) -> int:
        """Gives the line, from 1, on which a key begins, or the table nearest above it; 0 where there is none.

        It is the number of lines in the shortest beginning of the document that holds the key.
        """
        while where and not self._holds(len(self._lines), where):
            where = where[:-1]
        if not where:
            return 0
        return bisect_left(range(len(self._lines)), True, key=lambda lines: self._holds(lines, where))

    def at(self, where: KeyPath) -> str:
        """Gives the place of a key for a message: `reviewdesk.toml:12`."""
        line = self.line(where)
        return f"{self.name}:{line}" if line else self.name

    def _holds(self, lines: int, where: KeyPath) -> bool:
        """Tells whether the key stands in the first `lines` lines, or in the statement that they cut through."""
        whole = next(table for end in range(lines, len(self._lines) + 1) if (table := self._beginning(end)) is not None)
        try:
            _value_at(whole, where)
        except LookupError:
            return False
        return True

    def _beginning(self, lines: int) -> dict[str, Any] | None:
        if lines not in self._beginnings:
            try:
                self._beginnings[lines] = tomllib.loads("\n".join(self._lines[:lines]))
            except tomllib.TOMLDecodeError:
                self._beginnings[lines] = None
        return self._beginnings[lines]


def _value_at(value: Any, where: KeyPath) -> Any:
    for step in where:
        try:
            value = value[step]
        except TypeError:
            raise LookupError(step) from None
    return value


class Check:
    """Turns the values of a document into types and collects what is wrong with them.

    Args:
        names: what to call tables of an array in messages, where the document does not tell by their `id`.

    Attributes:
        problems: where, and in what way.
        warnings: lines about what works and should not stay so.
    """

    def __init__(self, document: Document, names: Mapping[KeyPath, str] | None = None) -> None:
        self.document = document
        self._names = names or {}
        self.problems: list[tuple[KeyPath, str]] = []
        self.warnings: list[str] = []

    def report(self, where: KeyPath, problem: str) -> None:
        """Adds a problem."""
        self.problems.append((where, problem))

    def expected(self, where: KeyPath, what: str, found: Any) -> None:
        """Adds the problem that a value is of another kind."""
        unquoted = what.startswith("a text") and isinstance(found, int | float) and not isinstance(found, bool)
        hint = f'; write it in quotes, "{found}"' if unquoted else ""
        self.report(where, f"expected {what}, found {_found(found)}{hint}")

    def lines(self) -> list[str]:
        """Gives the problems as lines fit to be shown, in the order of the file."""
        in_order = sorted(self.problems, key=lambda each: self.document.line(each[0]))
        return [f"{self.place(where)}: {problem}" for where, problem in in_order]

    def place(self, where: KeyPath) -> str:
        """Names a key in a message: `reviewdesk.toml:12: [[source]] "fb", key "page_id"`."""
        return ": ".join(filter(None, (self.document.at(where), ", ".join(self._labels(where)))))

    def _labels(self, where: KeyPath) -> Iterator[str]:
        rest = list(where)
        if len(rest) > 1 and isinstance(rest[1], int):
            root, position = rest.pop(0), rest.pop(0)
            yield f"[[{root}]] {self._name((root, position))}"
        elif len(rest) > 1 or (rest and isinstance(self._value((rest[0],)), dict)):
            yield f"[{shown(str(rest.pop(0)))}]"
        dotted: list[str] = []
        for step in [*rest, None]:
            if isinstance(step, str):
                dotted.append(shown(step))
                continue
            if dotted:
                yield f'key "{".".join(dotted)}"'
                dotted = []
            if isinstance(step, int):
                yield f"item {step + 1}"

    def _name(self, where: KeyPath) -> str:
        name = self._names.get(where) or self._value((*where, "id"))
        return f'"{shown(name)}"' if isinstance(name, str) and name else f"number {int(where[-1]) + 1}"

    def _value(self, where: KeyPath) -> Any:
        try:
            return self.document.value(where)
        except LookupError:
            return None

    def unknown_keys(self, table: Mapping[str, Any], known: Iterable[str], where: KeyPath) -> set[str]:
        """Reports the keys that nobody knows, and gives the absent ones that were probably meant."""
        known, meant = list(known), set()
        for name in table:
            if name not in known:
                near = nearest(name, [each for each in known if each not in table])
                meant.add(near)
                self.report((*where, name), f"unknown {_kind_of_key(table[name])}; {suggestion(name, known, near)}")
        return meant

    def table(self, table: Any, type: type[Any], where: KeyPath, *, also: Iterable[str] = ()) -> Any:
        """Gives a table as a struct, or None after having reported what is wrong with it.

        Args:
            also: further keys that are allowed here and read elsewhere; they are not in `table`.
        """
        if not isinstance(table, dict):
            self.expected(where, getattr(type, "short_form", "a table"), table)
            return None
        before = len(self.problems)
        fields = {field.encode_name: field for field in msgspec.structs.fields(type)}
        meant = self.unknown_keys(table, dict.fromkeys((*fields, *also)), where)
        values = {}
        for name, field in fields.items():
            if name in table:
                values[field.name] = self.value(table[name], field.type, (*where, name))
            elif field.required and name not in meant:
                self.report(where, f'key "{name}" is missing; it needs {in_words(field.type)}')
        if len(self.problems) > before:
            return None
        try:
            return type(**values)
        except (ValueError, TypeError) as error:
            self.report(where, shown(str(error), 300))
            return None

    def value(self, value: Any, type: Any, where: KeyPath) -> Any:
        """Gives a value as `type`, or None after having reported what is wrong with it.

        A struct with a class method `from_text` may be written as a text in short.
        """
        plain = _shaped_as(value, plain_type(type))
        if is_struct(plain):
            if isinstance(value, str) and hasattr(plain, "from_text"):
                return self._attempt(where, plain, value, lambda: plain.from_text(value))
            return self.table(value, plain, where)
        before = len(self.problems)
        origin, arguments = typing.get_origin(plain), typing.get_args(plain)
        if isinstance(value, list) and origin in (list, tuple, Sequence) and arguments[1:] in ((), (...,)):
            value = [self.value(item, arguments[0], (*where, index)) for index, item in enumerate(value)]
        elif isinstance(value, dict) and origin in (dict, Mapping):
            value = {name: self.value(item, arguments[1], (*where, name)) for name, item in value.items()}
        if len(self.problems) > before:
            return None
        return self._attempt(where, type, value, lambda: msgspec.convert(value, type, dec_hook=self._hook(where)))

    def _attempt(self, where: KeyPath, type: Any, value: Any, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ValueError as error:
            sentence = error.__cause__ if isinstance(error, msgspec.ValidationError) else error
            if isinstance(sentence, ValueError):
                self.report(where, str(sentence))
            else:
                self.expected(where, in_words(type), value)
            return None

    def _hook(self, where: KeyPath) -> Callable[[type[Any], Any], Any]:
        def custom(type: type[Any], value: Any) -> Any:
            if isinstance(value, type):
                return value
            if type is Secret:
                return self._secret(value, where)
            if not isinstance(value, str):
                raise TypeError
            if type is ZoneInfo:
                return _zone(value)
            if issubclass(Path, type) and value:
                return self.document.folder / os.path.expanduser(value)
            raise TypeError

        return custom

    def _secret(self, reference: Any, where: KeyPath) -> Secret:
        if not isinstance(reference, str):  # what it is stays untold: it may be the secret
            raise ValueError(f"expected {_KNOWN_TYPES[Secret]}, found something else than a text")
        kind, _, path = reference.partition(":")
        if kind == "file" and path.strip():
            reference = f"file:{self.document.folder / os.path.expanduser(path.strip())}"
        secret = Secret(reference, ", ".join(self._labels(where)))
        named = reference if secret.in_clear else reference.partition(":")[2]
        if not named.strip():
            raise ValueError(f"names no place of a secret; write {_REFERENCE}")
        if secret.in_clear:
            self.warnings.append(f"{self.place(where)}: the secret stands here in clear; write {_REFERENCE} instead")
        return secret


def is_struct(type: Any) -> bool:
    """Tells whether a type is a msgspec struct."""
    return isinstance(type, builtins.type) and issubclass(type, msgspec.Struct)


def shown(text: str, cells: int = 60) -> str:
    """Gives text from the document in a form fit for a message: one harmless line, cut."""
    from reviewdesk.text import cut

    return cut(text, cells)


def nearest(name: str, known: Iterable[str]) -> str:
    """Gives the known name that was probably meant, "" where none is near."""
    import difflib

    folded = {each.casefold(): each for each in known}
    return next((folded[each] for each in difflib.get_close_matches(name.casefold(), folded, 1)), "")


def suggestion(name: str, known: Iterable[str], near: str = "") -> str:
    """Gives what would be right instead of `name`: the nearest known name, else all of them."""
    known = list(known)
    near = near or nearest(name, known)
    if near:
        return f'did you mean "{near}"?'
    return "there are: " + ", ".join(sorted(known)) if known else "there are none"


_REFERENCE = '"env:NAME", "file:PATH" or "keyring:SERVICE/USER"'
_KNOWN_TYPES = {
    Secret: f"a reference to a secret ({_REFERENCE})",
    ZoneInfo: 'a time zone such as "Europe/Prague"',
    Path: "the path of a file",
}


def plain_type(type: Any) -> Any:
    """Gives a type without its constraints and without None, which TOML cannot say."""
    if typing.get_origin(type) is Annotated:
        return plain_type(typing.get_args(type)[0])
    members = _members(type)
    return plain_type(members[0]) if len(members) == 1 and members[0] is not type else type


def _members(type: Any) -> list[Any]:
    if typing.get_origin(type) not in (Union, types.UnionType):
        return [type]
    return [member for member in typing.get_args(type) if member is not types.NoneType]


def _shaped_as(value: Any, type: Any) -> Any:
    """Gives the member of a union that a table or a list can be meant as, so that its mistakes are told inside."""
    members = [plain_type(member) for member in _members(type)]
    if isinstance(value, dict):
        members = [each for each in members if is_struct(each) or typing.get_origin(each) in (dict, Mapping)]
    elif isinstance(value, list):
        members = [each for each in members if typing.get_origin(each) in (list, tuple, Sequence)]
    return members[0] if len(members) == 1 else type


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        import zoneinfo

        near = nearest(name, zoneinfo.available_timezones())
        hint = f'did you mean "{near}"?' if near else 'names are like "Europe/Prague"'
        raise ValueError(f'there is no time zone "{shown(name)}"; {hint}') from None


def _kind_of_key(value: Any) -> str:
    return "table" if isinstance(value, dict) else "key"


def _found(value: Any) -> str:
    """Says what a value is."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {shown(str(value))}"
        case str():
            return f'the text "{shown(value)}"' if value else "an empty text"
        case list() | tuple():
            return f"a list of {len(value)} items" if len(value) > 1 else "a list" if value else "an empty list"
        case dict():
            return "a table"
        case datetime():
            return f"the moment {value}"
        case date():
            return f"the date {value}"
        case time():
            return f"the time {value}"
        case _:
            return "something else"


def in_words(type: Any) -> str:
    """Says what values a type takes: "a whole number from 0 to 600"."""
    inner = plain_type(type)
    if is_struct(inner):
        return str(getattr(inner, "short_form", "a table"))
    info = msgspec.inspect.type_info(type)
    description = ""
    while isinstance(info, msgspec.inspect.Metadata):
        description = (info.extra_json_schema or {}).get("description", "")
        info = info.type
    return _in_words(info) + (f" ({description})" if description else "")


def _in_words(info: msgspec.inspect.Type) -> str:
    match info:
        case msgspec.inspect.Metadata(type=type):
            return _in_words(type)
        case msgspec.inspect.UnionType(types=members):
            return " or ".join(_in_words(each) for each in members if not isinstance(each, msgspec.inspect.NoneType))
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType():
            return "a whole number" + _bounds(info)
        case msgspec.inspect.FloatType():
            return "a number" + _bounds(info)
        case msgspec.inspect.StrType(min_length=least, max_length=most):
            return (
                "a text" + (" that is not empty" if least else "") + (f" of at most {most} characters" if most else "")
            )
        case msgspec.inspect.LiteralType(values=values):
            return _one_of(values)
        case msgspec.inspect.EnumType(cls=cls):
            return _one_of(member.value for member in cls)
        case msgspec.inspect.DateType():
            return "a date such as 2026-12-24"
        case msgspec.inspect.DateTimeType():
            return "a moment such as 2026-12-24T18:00:00Z"
        case msgspec.inspect.TimeType():
            return "a time such as 18:00:00"
        case msgspec.inspect.DictType() | msgspec.inspect.StructType():
            return "a table"
        case msgspec.inspect.CollectionType(item_type=item):
            return f"a list{_length(info)}, each item {_in_words(item)}"
        case msgspec.inspect.TupleType(item_types=items):
            return f"a list of {len(items)} values"
        case msgspec.inspect.CustomType(cls=cls):
            return _KNOWN_TYPES.get(cls, cls.__name__)
        case _:
            return "another value"


def _one_of(values: Iterable[Any]) -> str:
    return "one of " + ", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values)


def _length(info: msgspec.inspect.CollectionType) -> str:
    least, most = info.min_length, info.max_length
    return (" that is not empty" if least else "") + (f" of at most {most} items" if most is not None else "")


def _bounds(info: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> str:
    least, most = info.ge, info.le
    if least is not None and most is not None:
        return f" from {least} to {most}"
    words = [
        f"{word} {bound}"
        for word, bound in (("at least", least), ("more than", info.gt), ("at most", most), ("less than", info.lt))
        if bound is not None
    ]
    return " of " + " and ".join(words) if words else ""
