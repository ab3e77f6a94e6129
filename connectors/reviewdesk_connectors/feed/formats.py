"""Items out of XML, JSON, JSON lines and CSV, and the selectors that look into one item.

Each format has one selector language: XPath 1.0, JMESPath, or a column's name. A library is imported when its format is
read. XML, JSON lines and CSV are read as a stream; JSON is read as a whole.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any, Protocol

import msgspec

from reviewdesk.connector import BadAnswer
from reviewdesk_connectors.feed.document import Document, clean_xml
from reviewdesk_connectors.feed.values import plain

Selector = Callable[[Any], list[str]]
"""Gives the values that an expression selects in an item, as text, without the empty ones."""

_PATH = re.compile(r"(?P<root>//?)?(?P<steps>[^\W\d][\w.:-]*(?:/[^\W\d][\w.:-]*)*)")
_NAME = re.compile(r"@?[^\W\d][\w.-]*")
_PREFIX = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w:.-])([^\W\d][\w.-]*):(?!:)(?=[^\W\d]|\*)""")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DELIMITERS = ",;\t|"


class Unreadable(msgspec.Struct, frozen=True):
    """An item that cannot even be cut out of its document: its raw text, and why."""

    raw: str
    reason: str


class Format(Protocol):
    """What a format of feeds must be able to do."""

    def selector(self, expression: str, *, markup: bool = False) -> Selector:
        """Compiles an expression.

        Args:
            markup: keep the markup inside what is selected, since it will be made text of later.

        Raises:
            ValueError: the expression is broken.
        """

    def items(self, document: Document, following: Selector | None = None) -> Iterator[Any]:
        """Gives the items of a document, `Unreadable` ones among them.

        Args:
            following: what selects `document.next` from the whole answer.

        Raises:
            BadAnswer: it is no such document, or breaks off.
        """

    def raw(self, item: Any) -> Any:
        """Gives an item as it is kept for audits: text, or what JSON can hold."""


class Xml:
    """XML by lxml: XPath 1.0, entities not resolved, nothing fetched.

    Args:
        items: the path of the items. A path of plain names ("/shop/review", "//review") is read as a stream.
        namespaces: prefixes for all expressions.
        allow_doctype: whether the document may have a DOCTYPE.
    """

    def __init__(self, items: str, namespaces: Mapping[str, str], *, allow_doctype: bool = False) -> None:
        self._namespaces = dict(namespaces)
        self._allow_doctype = allow_doctype
        self._path = items
        self._root, self._steps = "", tuple[str, ...]()
        self._indexed: tuple[Any, Mapping[str, list[Any]]] | None = None
        if simple := _PATH.fullmatch(items):
            self._root = simple["root"] or ""
            self._steps = tuple(self._clark(step) for step in simple["steps"].split("/"))
        else:
            self._select = self._compile(items)

    def _compile(self, expression: str) -> Callable[[Any], Any]:
        from lxml import etree

        for _, prefix in _PREFIX.findall(expression):
            if prefix and prefix not in self._namespaces:
                raise ValueError(f"the prefix {prefix!r} is not declared; add it to [source.namespaces]")
        try:
            compiled = etree.XPath(expression, namespaces=self._namespaces or None, smart_strings=False)
            compiled(etree.Element("x"))
        except etree.XPathError as error:
            raise ValueError(f"the XPath {expression!r} is broken: {error}") from None
        return compiled  # type: ignore[no-any-return]

    def _clark(self, step: str) -> str:
        prefix, colon, name = step.rpartition(":")
        if colon and prefix not in self._namespaces:
            raise ValueError(f"the prefix {prefix!r} is not declared; add it to [source.namespaces]")
        return f"{{{self._namespaces[prefix]}}}{name}" if colon else name

    def selector(self, expression: str, *, markup: bool = False) -> Selector:
        """See `Format.selector`."""
        compiled = self._named(expression) if _NAME.fullmatch(expression) else self._compile(expression)

        def select(item: Any) -> list[str]:
            found = compiled(item)
            values = found if isinstance(found, list) else [found]
            return [text for value in values if (text := self._text(value, markup))] if values else values

        return select

    def _named(self, name: str) -> Callable[[Any], list[Any]]:
        """Gives what the XPath of a plain child or attribute does, in a fraction of its time: most fields are such."""
        if name.startswith("@"):
            return lambda item: [value] if (value := item.get(name[1:])) else []
        return lambda item: self._children(item).get(name, [])

    def _children(self, item: Any) -> Mapping[str, list[Any]]:
        """Gives an item's children by name; all fields of one item are asked for one after the other."""
        if self._indexed is None or self._indexed[0] is not item:
            children: dict[str, list[Any]] = {}
            for child in item:
                children.setdefault(child.tag, []).append(child)
            self._indexed = item, children
        return self._indexed[1]

    @staticmethod
    def _text(value: Any, markup: bool) -> str:
        if isinstance(value, str):
            return value.strip()
        if not hasattr(value, "iter"):
            return plain(value[1] if isinstance(value, tuple) else value).strip()
        from lxml import etree

        if not isinstance(value.tag, str):
            return ""
        if not len(value):
            return (value.text or "").strip()
        if markup:
            # What was escaped once more by the serialiser comes back as text when the markup is read.
            inner = "".join(etree.tostring(child, encoding="unicode") for child in value)
            return (value.text or "") + inner
        return str(value.xpath("string()", smart_strings=False)).strip()

    def items(self, document: Document, following: Selector | None = None) -> Iterator[Any]:
        """See `Format.items`."""
        from lxml import etree

        options: dict[str, Any] = {
            "no_network": True, "load_dtd": False, "huge_tree": False, "encoding": "utf-8",
            "resolve_entities": "internal" if self._allow_doctype else False,
        }  # fmt: skip
        try:
            if self._steps:
                parser = etree.XMLPullParser(("start", "end"), tag=self._steps[-1], **options)
                root = yield from self._stream(parser, document)
            else:
                parser = etree.XMLParser(**options)
                for piece in clean_xml(document):
                    parser.feed(piece)
                root = parser.close()
                self._refuse_doctype(root, document)
                yield from (item for item in self._select(root) if hasattr(item, "iter"))
        except etree.XMLSyntaxError as error:
            raise BadAnswer(
                f"{document.place} is not well-formed XML: {error.msg}.",
                hint="What stands before that place was read. If it stays so, tell the one who makes the feed.",
            ) from None
        if following is not None:
            document.next = next(iter(following(root)), "")

    def _stream(self, parser: Any, document: Document) -> Generator[Any, None, Any]:
        open_items = 0
        found = False
        read: Any = None
        for event, element in _events(parser, document):
            if not self._is_item(element):
                continue
            if event == "start":
                if not found:
                    self._refuse_doctype(element, document)
                open_items, found = open_items + 1, True
                continue
            yield element
            open_items -= 1
            if not open_items:
                # The item and its parents must not be touched while its end is read, so the one before goes.
                if read is not None:
                    read.getparent().remove(read)
                read = element
        root = parser.close()
        self._refuse_doctype(root, document)
        if not found:
            self._refuse_mismatch(root, document)
        return root

    def _is_item(self, element: Any) -> bool:
        path = tuple(reversed([element.tag, *(ancestor.tag for ancestor in element.iterancestors())]))
        if self._root == "//":
            return path[-len(self._steps) :] == self._steps
        return path == (self._steps if self._root else (path[0], *self._steps))

    def _refuse_doctype(self, root: Any, document: Document) -> None:
        if root.getroottree().docinfo.doctype and not self._allow_doctype:
            raise BadAnswer(
                f"{document.place} has a DOCTYPE, which may declare entities, so it was not read.",
                hint="If the feed needs it and you trust it, set allow_doctype = true.",
            )

    def _refuse_mismatch(self, root: Any, document: Document) -> None:
        first = self._steps[0]
        if self._root != "//" and (not self._root or root.tag == first):
            return
        tag = str(root.tag)
        namespace, _, name = tag.rpartition("}")
        if namespace and not first.startswith("{"):
            raise BadAnswer(
                f"{document.place} has the namespace {namespace[1:]!r}, so {self._path!r} matches nothing in it.",
                hint=f'Set namespaces = {{ f = "{namespace[1:]}" }} and write f: before the elements\' names.',
            )
        if self._root == "/":
            raise BadAnswer(
                f"items = {self._path!r} matches nothing: the root of {document.place} is <{name}>.",
                hint="Compare the path with the document.",
            )

    def raw(self, item: Any) -> str:
        """See `Format.raw`: the element's XML."""
        from lxml import etree

        return str(etree.tostring(item, encoding="unicode", with_tail=False))


def _events(parser: Any, document: Document) -> Iterator[Any]:
    """Gives the events of a pull parser, those before an error included."""
    from lxml import etree

    for piece in clean_xml(document):
        try:
            parser.feed(piece)
        except etree.XMLSyntaxError:
            yield from parser.read_events()
            raise
        yield from parser.read_events()


class Json:
    """JSON by JMESPath. `items` names the list in the answer; left out where the answer is the list itself."""

    def __init__(self, items: str) -> None:
        self._path = items
        self._select = _jmespath(items or "@")

    def selector(self, expression: str, *, markup: bool = False) -> Selector:
        """See `Format.selector`."""
        compiled = _jmespath(expression)

        def select(item: Any) -> list[str]:
            found = compiled(item)
            values = found if isinstance(found, list) else [found]
            return [text for value in values if (text := _json_text(value))]

        return select

    def items(self, document: Document, following: Selector | None = None) -> Iterator[Any]:
        """See `Format.items`."""
        root = read_json(document.text().read(), document.place)
        found = self._select(root)
        if not isinstance(found, list):
            there = f"an object with {', '.join(list(root)[:12])}" if isinstance(root, dict) else "a single value"
            path = f"items = {self._path!r} selects no list" if self._path else "`items` is missing"
            raise BadAnswer(f"{path}: {document.place} is {there}.", hint="Set `items` to where the list is.")
        document.total = len(found)
        if following is not None:
            document.next = next(iter(following(root)), "")
        yield from found

    def raw(self, item: Any) -> Any:
        """See `Format.raw`: the value itself."""
        return item


class JsonLines(Json):
    """One JSON value on each line; `items`, where given, selects the item in it. A line that is none is set aside."""

    def items(self, document: Document, following: Selector | None = None) -> Iterator[Any]:
        """See `Format.items`."""
        for number, line in enumerate(document.text(), 1):
            line = line.strip("\ufeff \t\r\n")
            if not line:
                continue
            try:
                found = self._select(read_json(line, f"line {number}"))
            except BadAnswer as error:
                yield Unreadable(line, error.sentence)
                continue
            yield from found if isinstance(found, list) else [found]


class Csv:
    """CSV by column names; an item is a mapping from name to value.

    Args:
        delimiter: "" finds it out from the header line, "tab" is a tab.
        columns: the names, where there is no header line.
    """

    def __init__(self, delimiter: str, columns: Sequence[str] = ()) -> None:
        self._delimiter = "\t" if delimiter == "tab" else delimiter
        self._columns = list(columns)
        self._wanted: list[str] = []

    def selector(self, expression: str, *, markup: bool = False) -> Selector:
        """See `Format.selector`."""
        if not expression.strip():
            raise ValueError("a column's name is empty")
        self._wanted.append(expression)
        name = _column(expression)

        def select(item: Any) -> list[str]:
            value = item.get(name, "").strip()
            return [value] if value else []

        return select

    def items(self, document: Document, following: Selector | None = None) -> Iterator[Any]:
        """See `Format.items`."""
        # The limit is the process's; the document's own limit is what guards here.
        csv.field_size_limit(1 << 30)
        lines = _Lines(line.replace("\0", "") for line in document.text())
        delimiter = self._delimiter or self._sniff(lines)
        names = [_column(name) for name in self._columns]
        if not names:
            header = next(csv.reader(lines, delimiter=delimiter), None)
            if header is None:
                return
            names = _unique([name.lstrip("\ufeff") for name in header])
        self._miss(names, document)
        lines.forget()
        yield from self._rows(lines, names, delimiter)

    @staticmethod
    def _rows(lines: _Lines, names: list[str], delimiter: str) -> Iterator[Any]:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        shaken = False
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # Only the line where it begins is doubtful, not all that a quote without an end has swallowed.
                first = lines.put_back()
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                row, shaken, reason = next(csv.reader([first], delimiter=delimiter)), True, str(error)
            else:
                first, reason = "".join(lines.taken), f"it has {len(row)} columns where the header has {len(names)}"
            shaken = shaken and len(row) != len(names)
            if shaken or any(row[len(names) :]):
                yield Unreadable(first, f"line {lines.start} is no row of the table: {reason}")
            elif any(cell.strip() for cell in row):
                yield dict(zip(names, row, strict=False))
            lines.forget()

    def _sniff(self, lines: _Lines) -> str:
        first = lines.peek()
        if declared := re.fullmatch(r"\ufeff?sep=(.)\s*", first):
            next(lines)
            lines.forget()
            return declared[1]
        outside = re.sub(r'"[^"]*"', "", first)
        return max(_DELIMITERS, key=outside.count)

    def _miss(self, names: Sequence[str], document: Document) -> None:
        missing = [each for each in dict.fromkeys(self._wanted) if _column(each) not in names]
        if missing:
            near = get_close_matches(_column(missing[0]), names, n=1)
            there = ", ".join(map(repr, names))
            raise BadAnswer(
                f"{document.place} has no column {', '.join(map(repr, missing))}; it has {there}.",
                hint=f"Did you mean {near[0]!r}?" if near else "",
            )

    def raw(self, item: Any) -> Any:
        """See `Format.raw`: the row by column names."""
        return item


class _Lines:
    """Lines that remember those of the row being read, so that a quote that swallows the rest can be undone."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.taken: list[str] = []
        self.start = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        return line

    def peek(self) -> str:
        """Gives the first line and leaves it there."""
        line = next(self._lines, "")
        self._lines = chain([line] if line else [], self._lines)
        return line

    def forget(self) -> None:
        """Begins the next row."""
        self.start += len(self.taken)
        self.taken = []

    def put_back(self) -> str:
        """Gives the first line of the row; the others will come again."""
        first, *rest = self.taken
        self.taken = [first]
        self._lines = chain(rest, self._lines)
        return first


def _column(name: str) -> str:
    return " ".join(name.split()).casefold()


def _unique(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for number, name in enumerate(map(_column, header), 1):
        name = name or f"column {number}"
        again = sum(1 for other in names if other == name or re.fullmatch(re.escape(name) + r" \d+", other))
        names.append(f"{name} {again + 1}" if again else name)
    return names


def _jmespath(expression: str) -> Callable[[Any], Any]:
    import jmespath
    from jmespath.exceptions import JMESPathError, JMESPathTypeError

    try:
        compiled = jmespath.compile(expression)
        compiled.search({})
    except JMESPathTypeError:
        pass  # a function that wants what an empty item does not have
    except JMESPathError as error:
        sentence = " ".join(str(error).split())
        raise ValueError(f"the JMESPath {expression!r} is broken: {sentence[:160]}") from None

    def search(item: Any) -> Any:
        try:
            return compiled.search(item)
        except JMESPathError as error:
            raise ValueError(f"{expression!r} cannot be applied: {' '.join(str(error).split())[:160]}") from None

    return search


def _json_text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return plain(value).strip()


def read_json(text: str, place: str) -> Any:
    """Gives JSON as values. NaN and infinities become null, lone surrogates U+FFFD.

    Raises:
        BadAnswer: it is none, or nested too deeply.
    """
    try:
        return msgspec.json.decode(text.lstrip("\ufeff"))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        try:
            value = json.loads(text.lstrip("\ufeff"), parse_constant=lambda _: None)
            return json.loads(_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise BadAnswer(f"{place} is not JSON: {why}.") from None
