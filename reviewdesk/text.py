"""The public's text made safe, compared and cut. Pure.

Whatever the public writes may hold terminal escapes, bidirectional overrides, lone surrogates, floods of
combining marks or a million characters. `safe` is applied once before the store and again wherever a line is
built for a terminal; it is idempotent.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from urllib.parse import urlsplit

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Controls (C0 but tab and newline, DEL, C1), bidi controls, line separators, tag characters, surrogates, noncharacters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    + _BIDI
    + "\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# More marks on one letter than any living orthography uses; what is over it would climb over the lines above.
_MARKS_FLOOD = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_INVISIBLE_FLOOD = re.compile(
    "([\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0f\uffa0]{2})[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0f\uffa0]+"
)
_ASCII_ONLY = re.compile(r"[\t\n\x20-\x7e]*\Z")
_BLANKS = re.compile(r"\s+")


def safe(text: str) -> str:
    """Gives `text` in NFC with nothing in it that a terminal would obey instead of show.

    Line ends become `\\n`; each control, bidi control, lone surrogate and noncharacter becomes U+FFFD; floods of
    combining or invisible characters are thinned. `safe(safe(x)) == safe(x)`.
    """
    if _ASCII_ONLY.match(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", _UNSAFE.sub(REPLACEMENT, text))
    return _INVISIBLE_FLOOD.sub(r"\1", _MARKS_FLOOD.sub(r"\1", text))


def one_line(text: str) -> str:
    """Gives `text` made safe, with every run of blanks and line ends as one space."""
    return _BLANKS.sub(" ", safe(text)).strip()


def fold(text: str) -> str:
    """Gives `text` without case and diacritics, for matching ("Žádné" -> "zadne")."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def same_text(one: str, other: str) -> bool:
    """Tells whether two texts are one to a reader: NFC, line ends and runs of blanks do not count."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> str:
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def width(text: str) -> int:
    """Gives the number of terminal cells that one line of safe text takes."""
    if text.isascii():
        return len(text)
    import wcwidth

    return max(0, wcwidth.wcswidth(text)) or len(text)


def cut(text: str, cells: int) -> str:
    """Gives the text on one line, in at most `cells` terminal cells, with an ellipsis where it was cut.

    Looks at no more of a long text than can be shown.
    """
    if cells <= 0:
        return ""
    line = one_line(text[: cells * 8 + 64])
    if width(line) <= cells and len(text) <= cells * 8 + 64:
        return line
    import wcwidth

    used, kept = 0, []
    for char in line:
        used += max(0, wcwidth.wcwidth(char))
        if used > cells - 1:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def is_web_link(url: str) -> bool:
    """Tells whether a link may be opened: http or https, with a host, and nothing unprintable in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and safe(url) == url and " " not in url


def spreadsheet_cell(text: str) -> str:
    """Gives text that a spreadsheet shows as text: a leading `=`, `+`, `-`, `@`, tab or CR gets an apostrophe.

    The rule is OWASP's for CSV injection.
    """
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


class _TextOf(HTMLParser):
    _BLOCKS = frozenset(
        [
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "dd",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
            "section",
            "table",
            "tr",
            "ul",
        ]
    )
    _SILENT = frozenset(("script", "style", "template", "head", "title"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silenced = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self.silenced += 1
        elif tag in self._BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "img":
            self.parts.append(next((value for name, value in attrs if name == "alt" and value), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self.silenced = max(0, self.silenced - 1)
        elif tag in self._BLOCKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.silenced:
            self.parts.append(re.sub(r"[ \t\r\n]+", " ", data))


def html_to_text(html: str) -> str:
    """Gives the readable text of an HTML fragment: blocks on lines of their own, scripts and styles left out."""
    parser = _TextOf()
    parser.feed(html)
    parser.close()
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
