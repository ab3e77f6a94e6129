"""The public's text made safe, compared and cut. Pure.

Whatever the public writes may hold terminal escapes, bidirectional overrides, lone surrogates, floods of
combining marks or a million characters. `safe` is applied once before the store and again wherever a line is
built for a terminal; it is idempotent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Controls (C0 but tab and newline, DEL, C1), bidi controls, line separators, tag characters, surrogates, noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    + _BIDI
    + "\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_INVISIBLE = frozenset(
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u3164\uffa0"
) | frozenset(map(chr, range(0xFE00, 0xFE10)))
# Where a flood may be: marks are neither letters nor blanks to `re`. The fillers of Hangul are letters.
_FLOOD = re.compile(r"(?:[^\w\s\x00-\x7f]|[\u115f\u1160\u3164\uffa0]){3,}")
_MOST_MARKS = 4  # on one letter: as many as any living orthography uses; more would climb over the lines above
_MOST_INVISIBLE = 2  # in a row: as many as an emoji needs
_ASCII_ONLY = re.compile(r"[\t\n\x20-\x7e]*\Z")
_BLANKS = re.compile(r"\s+")
# Letters that Unicode does not take apart into a letter and its diacritic.
_STROKES = str.maketrans("łđøħŧı", "ldohti")


def safe(text: str) -> str:
    """Gives `text` in NFC with nothing in it that a terminal would obey instead of show.

    Line ends become `\\n`; each control, bidi control, lone surrogate and noncharacter becomes U+FFFD; floods of
    combining or invisible characters are thinned. `safe(safe(x)) == safe(x)`.
    """
    if text.isascii() and (text.isprintable() or _ASCII_ONLY.match(text)):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _thinned(_normal("NFC", _UNSAFE.sub(REPLACEMENT, text)))


def _normal(form: Literal["NFC", "NFD", "NFKD"], text: str) -> str:
    """Normalises in a time that grows with the text: `unicodedata` sorts the marks on a letter by insertion."""
    return unicodedata.normalize(form, _thinned(text))


def _thinned(text: str) -> str:
    return _FLOOD.sub(_thinned_run, text)


def _thinned_run(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = invisible = 0
    for char in run[0]:
        if char in _INVISIBLE:
            invisible += 1
        elif unicodedata.category(char) in ("Mn", "Me"):
            marks, invisible = marks + 1, 0
        else:
            marks = invisible = 0
        if marks <= _MOST_MARKS and invisible <= _MOST_INVISIBLE:
            kept.append(char)
    return "".join(kept)


def one_line(text: str) -> str:
    """Gives `text` made safe, with every run of blanks and line ends as one space."""
    return _BLANKS.sub(" ", safe(text)).strip()


def fold(text: str) -> str:
    """Gives `text` without case, diacritics and invisible characters, for matching: "Žádné Złoto" -> "zadne zloto"."""
    if text.isascii():
        return text.lower()
    # A compatibility form may hold capitals of its own ("℡"), so case is folded on both sides.
    decomposed = _normal("NFKD", _normal("NFKD", text.casefold()).casefold())
    kept = (char for char in decomposed if not unicodedata.combining(char) and char not in _INVISIBLE)
    return "".join(kept).translate(_STROKES)


def same_text(one: str, other: str) -> bool:
    """Tells whether two texts are one to a reader: NFC, line ends and runs of blanks do not count."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    # Taken apart first: how many marks stand on a letter is bounded, and a mark may be one or two.
    return _BLANKS.sub(" ", _normal("NFC", _normal("NFD", text))).strip()


def width(text: str) -> int:
    """Gives the number of terminal cells that one line of safe text takes; a tab or line end counts as one."""
    if text.isascii():
        return len(text)
    import wcwidth

    return wcwidth.wcswidth(text.replace("\t", " ").replace("\n", " "))


def cut(text: str, cells: int) -> str:
    """Gives the text on one line, in at most `cells` terminal cells, with an ellipsis where it was cut.

    Looks at no more of a long text than can be shown.
    """
    if cells <= 0:
        return ""
    piece = text[: cells * 8 + 64]
    line = one_line(piece)
    if len(piece) == len(text) and width(line) <= cells:
        return line
    import wcwidth

    used, kept = 1, []
    for cluster in wcwidth.iter_graphemes(line):
        used += width(cluster)
        if used > cells:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + "…"


def is_web_link(url: str) -> bool:
    """Tells whether a link may be opened: http or https, with a host, and nothing in it that is blank or unprintable.

    A backslash is refused, since browsers take it for a slash and would go to another host than the one shown.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        return False
    shown = url.isprintable() and safe(url) == url and not _BLANKS.search(url) and "\\" not in url
    return shown and parts.scheme in ("http", "https") and bool(parts.hostname)


def spreadsheet_cell(text: str) -> str:
    """Gives text that a spreadsheet shows as text: a leading `=`, `+`, `-`, `@`, tab or line end gets an apostrophe.

    The rule is OWASP's for CSV injection. The signs count in their wide form too.
    """
    return "'" + text if text and text[0] in "=+-@\t\r\n＝＋－＠" else text


_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main"  # noqa: SIM905 - readable
    " nav ol p pre section table tr ul".split()
)
_SILENT = frozenset(("script", "style", "template", "head", "title"))


class _TextOf:
    """Takes what the parser meets and keeps the text."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.silenced = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _SILENT:
            self.silenced += 1
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "img":
            self.parts.append(attributes.get("alt", ""))

    def end(self, tag: str) -> None:
        if tag in _SILENT:
            self.silenced -= 1
        elif tag in _BLOCKS and tag != "br":
            self.parts.append("\n")

    def data(self, data: str) -> None:
        if not self.silenced:
            self.parts.append(re.sub(r"[ \t\r\n]+", " ", data))

    def comment(self, text: str) -> None:
        """Nobody is meant to read it."""

    def close(self) -> str:
        return "".join(self.parts)


def html_to_text(html: str) -> str:
    """Gives the readable text of an HTML fragment: blocks on lines of their own, scripts and styles left out."""
    from lxml import etree  # the parser of the standard library takes minutes for some megabytes, and raises for others

    parser = etree.HTMLParser(target=_TextOf(), encoding="utf-8", huge_tree=True)
    parser.feed(safe(html).encode())
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in parser.close().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
