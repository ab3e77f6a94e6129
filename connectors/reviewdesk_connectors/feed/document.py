"""One fetched document: its bytes in a file, its headers, and its characters by the rules of who says the encoding."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from html.entities import name2codepoint
from typing import IO

import msgspec

from reviewdesk.connector import BadAnswer

CHUNK = 1 << 16
# https://docs.python.org/3/library/codecs.html#python-specific-encodings
_NO_DOCUMENTS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"))
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_HTML = re.compile(r"(<!--.*?-->|\s)*<(!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
# What XML 1.0 does not allow, as characters and as references (a pair of surrogates is meant to be one character).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Both kinds share their first character, so that the search skips to the next one of it.
_REFERENCES = re.compile(
    r"&(?:#(?:[0-9]{1,7}|x[0-9a-fA-F]{1,6});(?:&#(?:[0-9]{1,7}|x[0-9a-fA-F]{1,6});)*|([A-Za-z][A-Za-z0-9]{1,9});)"
)
_OPEN_END = re.compile(r"(?:&#x?[0-9a-fA-F]{1,7};){0,8}(?:&#?[A-Za-z0-9]{0,10})?\Z")
_OWN_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))


class Document(msgspec.Struct, kw_only=True):
    """A document to be read.

    Attributes:
        body: a seekable binary file.
        place: where it came from, fit to be shown.
        headers: of the answer, names in lower case; empty for a local file.
        encoding: what the settings say, "" for nothing.
        moved_to: the new address after permanent redirects, else "".
        next: filled by the reader: what `paging.next` selected, or what the feed itself names as its next page.
        wait_minutes: filled by the reader: the feed's own `ttl`.
        notes: filled by the reader: what was wrong with it, though it could be read; one sentence each.
        total: filled by the reader where it knows before the end: how many items there are.
    """

    body: IO[bytes]
    place: str
    headers: Mapping[str, str] = {}
    encoding: str = ""
    moved_to: str = ""
    next: str = ""
    wait_minutes: float = 0.0
    notes: list[str] = []
    total: int | None = None

    def text(self) -> io.TextIOWrapper:
        """Gives its characters from the start. What does not decode is U+FFFD; line ends are as they came.

        The encoding is the first that fits of: the byte order mark's, the settings', the HTTP header's, the XML
        declaration's, UTF-8. Where not even that fits and nobody named one, it is windows-1250, and a note says so.

        Raises:
            BadAnswer: it is a web page.
        """
        encoding = self._encoding()
        self.body.seek(0)
        text = io.TextIOWrapper(_Unclosed(self.body), encoding=encoding, errors="replace", newline="")
        head = text.read(2048)
        if _HTML.match(head.lstrip("\ufeff")):
            raise BadAnswer(
                f"{self.place} is a web page instead of data.",
                hint="A login or maintenance page may stand in between, or the address is that of the page for people.",
            )
        self.body.seek(0)
        return io.TextIOWrapper(_Unclosed(self.body), encoding=encoding, errors="replace", newline="")

    def _encoding(self) -> str:
        self.body.seek(0)
        head = self.body.read(1024)
        bom = next((name for mark, name in _BOMS if head.startswith(mark)), "")
        header = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        said = header[1] if header else ""
        found = _DECLARED.search(head)
        declared = found[1].decode() if found else ""
        if declared and said.lower() in ("iso-8859-1", "us-ascii"):
            said = ""  # what servers say of everything
        known = [_codec(name) for name in (bom, self.encoding, said, declared)]
        candidates = list(dict.fromkeys(name for name in known if name))
        fitting = self._first_fitting([*candidates, "utf-8"])
        if fitting:
            return fitting
        if candidates:
            return candidates[0]
        self.notes.append("It names no encoding and is not UTF-8, so it was read as windows-1250: set `encoding`.")
        return "cp1250"

    def _first_fitting(self, names: Sequence[str]) -> str:
        for name in names:
            decoder = codecs.getincrementaldecoder(name)()
            self.body.seek(0)
            try:
                while chunk := self.body.read(CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeError:
                continue
            return name
        return ""


def _codec(name: str) -> str:
    """Gives a codec's own name; "" for none that reads documents."""
    try:
        found = codecs.lookup(name or "undefined")
    except LookupError:
        return ""
    return found.name if found._is_text_encoding and found.name not in _NO_DOCUMENTS else ""


class _Unclosed(io.RawIOBase):
    """A view of a file that leaves it open when the text reader on top of it goes away."""

    name = "a feed"

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def clean_xml(document: Document) -> Iterator[bytes]:
    """Gives the text of an XML document as pieces of UTF-8, mended where exports are often not well-formed.

    Characters and references that XML forbids become U+FFFD or vanish, entities of HTML become their characters, and
    blanks before the declaration are left out: one such character would otherwise take the whole export with it.
    """
    text = document.text()
    held = text.read(CHUNK).lstrip("\ufeff \t\r\n")
    more = True
    while more:
        piece = text.read(CHUNK)
        more = bool(piece)
        held += piece
        # A reference that goes on in the next piece waits for it.
        open_end = _OPEN_END.search(held, max(0, len(held) - 128)) if more else None
        cut = open_end.start() if open_end else len(held)
        if cut:
            yield _FORBIDDEN.sub("", _REFERENCES.sub(_mend, held[:cut])).encode("utf-8")
        held = held[cut:]


def _mend(found: re.Match[str]) -> str:
    if found[1]:
        code = name2codepoint.get(found[1])
        return found[0] if found[1] in _OWN_ENTITIES or code is None else chr(code)
    codes = [int(ref[1:], 16) if ref[0] == "x" else int(ref) for ref in re.findall(r"&#(\w+);", found[0])]
    if all(
        code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0xFFFF < code < 0x110000
        for code in codes
    ):
        return found[0]
    units = "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)
    text = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
