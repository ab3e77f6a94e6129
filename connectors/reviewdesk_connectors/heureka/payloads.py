"""Heureka's two exports, read as a stream: pieces of bytes go in, reviews come out, and memory stays flat.

The root `<reviews>` holds the reviews of the shop, `<products>` those of its products (one `<product>` for each review
in practice). The order of the elements is not fixed, an absent one means "not answered", and texts are in CDATA.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import msgspec
from lxml import etree

from reviewdesk.connector import BadAnswer

PIECE = 1 << 16
"""How many bytes are read at once."""
_MAX_ITEM = 20 << 20
_HEAD = 512
_DECLARED = re.compile(rb"""\A<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_TEXT_CODECS = re.compile(r"utf-|iso8859|cp125|cp852|ascii|latin")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Export(StrEnum):
    """Which of the two exports."""

    SHOP = "shop"
    PRODUCTS = "products"

    @property
    def path(self) -> str:
        """Its address under the host."""
        return f"direct/dotaznik/export-{'review' if self is Export.SHOP else 'product-review'}.php"

    @property
    def root(self) -> str:
        """Its root element."""
        return "reviews" if self is Export.SHOP else "products"

    @property
    def item(self) -> str:
        """The element under the root that is handled as one."""
        return "review" if self is Export.SHOP else "product"

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"export of {'shop' if self is Export.SHOP else 'product'} reviews"


class Product(msgspec.Struct, frozen=True):
    """What a product review is about: the elements of `<product>` but the order and the reviews, in their order."""

    facts: tuple[tuple[str, str], ...]

    def get(self, tag: str) -> str:
        """Gives the text of an element, "" where it is absent."""
        return next((text for name, text in self.facts if name == tag), "")


class Review(msgspec.Struct, frozen=True):
    """One review as the export holds it.

    Attributes:
        export: where it stands.
        rating_id: Heureka's number of it; for product reviews no safe key (see `identity`).
        order_id: the shop's own order number, as a string, zeros in front kept.
        facts: the text of each element by its name; what comes twice is joined by a line end.
        product: for product reviews.
    """

    export: Export
    rating_id: str
    order_id: str
    facts: Mapping[str, str]
    product: Product | None = None

    @property
    def timestamp(self) -> str:
        """When it was written, in unix seconds, as the export writes it."""
        return self.facts.get("unix_timestamp", "")


class Unreadable(msgspec.Struct, frozen=True):
    """An item that cannot be kept as a review: its XML and the reason in a sentence."""

    raw: str
    reason: str


class ExportParser:
    """Reads one export, piece by piece.

    Nothing outside of the bytes is read: no DTD, no entities, no network. Characters that XML does not allow, and bytes
    that do not decode, become U+FFFD, so that one customer's control character does not cost the reviews after it.

    Args:
        what: what is being read, as the subject of an error's sentence ("Heureka's answer").
        expected: the export that was asked for; None takes either.
        hint: what to do when it is no export at all.
    """

    def __init__(self, what: str, expected: Export | None = None, *, hint: str = "") -> None:
        self.export: Export | None = None
        self._what = what
        self._expected = expected
        self._hint = hint
        self._text = _XmlText(self._alien)
        self._since_item = 0
        self._parser = etree.XMLPullParser(
            ("start", "end"),
            tag=("reviews", "products", "review", "product"),
            encoding="utf-8",
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def feed(self, piece: bytes) -> Iterator[Review | Unreadable]:
        """Takes the next piece and gives the items that it completes.

        Raises:
            BadAnswer: it is not an export, is not well-formed, or declares a document type. What was already given
                stays good.
        """
        yield from self._parse(self._text.feed(piece))

    def close(self) -> Iterator[Review | Unreadable]:
        """Gives what is left, and makes sure that the export came to its end. Errors as in `feed`."""
        yield from self._parse(self._text.close())
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise self._broken(error) from None
        if self.export is None:
            raise self._alien()

    def _parse(self, text: bytes) -> Iterator[Review | Unreadable]:
        if not text:
            return
        broken: etree.XMLSyntaxError | None = None
        try:
            self._parser.feed(text)
        except etree.XMLSyntaxError as error:
            broken = error
        yield from self._items()
        if broken is not None:
            raise self._broken(broken)
        self._since_item += len(text)
        if self.export is None and self._since_item > PIECE:
            raise self._alien()
        if self._since_item > _MAX_ITEM:
            raise BadAnswer(f"{self._what} holds a single review of more than {_MAX_ITEM >> 20} MB.")

    def _items(self) -> Iterator[Review | Unreadable]:
        for event, element in self._parser.read_events():
            parent = element.getparent()
            if event == "start":
                if parent is None:
                    self._enter(element)
            elif parent is not None and parent.getparent() is None and self.export and element.tag == self.export.item:
                self._since_item = 0
                yield from _reviews(element, self.export)
                element.clear()
                while element.getprevious() is not None:
                    del parent[0]

    def _enter(self, root: etree._Element) -> None:
        if root.getroottree().docinfo.doctype:
            raise BadAnswer(f"{self._what} declares a document type (DTD), which is refused.", hint=self._hint)
        export = next((each for each in Export if each.root == root.tag), None)
        if export is None or (self._expected and export is not self._expected):
            raise self._alien()
        self.export = export

    def _alien(self) -> BadAnswer:
        wanted = f"the {self._expected.label}" if self._expected else "an export of reviews from Heureka"
        return BadAnswer(f"{self._what} is not {wanted}.", hint=self._hint)

    def _broken(self, error: etree.XMLSyntaxError) -> BadAnswer:
        if self.export is None:
            return self._alien()
        line, column = error.position
        return BadAnswer(
            f"{self._what} breaks off or is damaged (line {line}, column {column}).",
            hint="Nothing is taken for deleted. It is read anew next time.",
        )


class _XmlText:
    """Turns the bytes of an export into UTF-8 that holds nothing XML forbids, whatever encoding it declares."""

    def __init__(self, alien: Callable[[], BadAnswer]) -> None:
        self._alien = alien
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._blank = True

    def feed(self, piece: bytes, *, final: bool = False) -> bytes:
        """Gives as much as can be told."""
        if self._decoder is None:
            self._head += piece
            if len(self._head) < _HEAD and not final:
                return b""
            piece, self._head = self._head, b""
            self._decoder = self._choose(piece)
        text = self._decoder.decode(piece, final)
        if self._blank:
            text = text.lstrip("\ufeff \t\r\n")
            self._blank = not text
        return _NOT_XML.sub("\ufffd", text).encode()

    def close(self) -> bytes:
        """Gives the rest."""
        return self.feed(b"", final=True)

    def _choose(self, head: bytes) -> codecs.IncrementalDecoder:
        name = "utf-8"
        declared = _DECLARED.match(head.lstrip(codecs.BOM_UTF8 + b" \t\r\n"))
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = "utf-16"
        elif declared:
            name = declared[1].decode("ascii")
        try:
            codec = codecs.lookup(name)
        except LookupError:
            raise self._alien() from None
        if not _TEXT_CODECS.match(codec.name):
            raise self._alien()
        return codec.incrementaldecoder("replace")


def _reviews(item: etree._Element, export: Export) -> Iterator[Review | Unreadable]:
    if export is Export.SHOP:
        yield _review(item, export)
        return
    about = _facts(item)
    order_id = about.pop("order_id", "")
    product = Product(tuple(about.items()))
    for review in item.iterfind("reviews/review"):
        yield _review(review, export, order_id, product)


def _review(
    element: etree._Element, export: Export, order_id: str = "", product: Product | None = None
) -> Review | Unreadable:
    facts = _facts(element)
    rating_id = facts.get("rating_id", "")
    if not rating_id:
        whole = element if product is None else element.getparent().getparent()
        return Unreadable(etree.tostring(whole, encoding="unicode", with_tail=False), "A review without a rating_id.")
    return Review(export, rating_id, order_id or facts.get("order_id", ""), facts, product)


def _facts(element: etree._Element) -> dict[str, str]:
    facts: dict[str, str] = {}
    for child in element:
        tag = child.tag
        if tag == "reviews":
            continue
        text = (("".join(child.itertext()) if len(child) else child.text) or "").strip()
        facts[tag] = f"{facts[tag]}\n{text}" if tag in facts else text
    return facts
