"""From an item to mentions: the targets, and the closed list of transforms that a mapping is made of.

There is no expression language beside the format's own selectors, and nothing is ever evaluated.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from reviewdesk.connector import (
    Attachment,
    Author,
    Kind,
    Mention,
    fold,
    html_to_text,
    redact,
    safe_url,
)
from reviewdesk_connectors.feed import dates, patterns, values
from reviewdesk_connectors.feed.formats import Csv, Format, Json, JsonLines, Selector, Xml
from reviewdesk_connectors.feed.settings import FeedSettings, FieldMap

TEXT, LIST, RATING, DATE, BOOLEAN, LANGUAGE, LINK = "text", "list", "rating", "date", "boolean", "language", "link"

TARGETS: dict[str, str] = {
    "id": TEXT, "text": TEXT, "title": TEXT, "author": TEXT, "author_id": TEXT, "author_url": LINK, "rating": RATING,
    "pros": LIST, "cons": LIST, "created_at": DATE, "edited_at": DATE, "url": LINK, "order_id": TEXT, "product": TEXT,
    "product_url": LINK, "language": LANGUAGE, "recommends": BOOLEAN, "reply": TEXT, "replied_at": DATE,
    "thread_id": TEXT, "parent_id": TEXT, "attachments": LIST,
}  # fmt: skip
_OPEN_TARGETS = {"sub_ratings": RATING, "fields": TEXT}

CONVERSIONS: dict[str, frozenset[str]] = {
    TEXT: frozenset(("text", "number", "rating", "date", "epoch_s", "epoch_ms", "boolean")),
    LIST: frozenset(("text",)),
    RATING: frozenset(("number", "rating")),
    DATE: frozenset(("date", "epoch_s", "epoch_ms")),
    BOOLEAN: frozenset(("boolean",)),
    LANGUAGE: frozenset(("text",)),
    LINK: frozenset(("text",)),
}
_ALL_CONVERSIONS = sorted(frozenset().union(*CONVERSIONS.values()))
_CLEANING: dict[str, Callable[[str], str]] = {
    "html": html_to_text,
    "html_twice": lambda text: html_to_text(html_to_text(text)),
}
_HOLE = re.compile(r"\{([^{}]*)\}")
_REPLY_PAGE_WORDS = ("id", "url", "order_id", "author_id", "thread_id")

# What is known of an entry of RSS, Atom or JSON Feed, in the words of `syndication.entries`.
SYNDICATION: dict[str, str | FieldMap] = {
    "id": "id", "title": "title", "text": "text", "author": "author", "author_url": "author_url", "url": "url",
    "created_at": "created_at", "edited_at": "edited_at", "language": "language", "attachments": "attachments[]",
    "fields.tags": "tags",
}  # fmt: skip


class Trouble(msgspec.Struct, frozen=True):
    """A field of one item that could not be read: its name, its raw text, and why. The item itself is kept."""

    field: str
    text: str
    reason: str


class NoMention(ValueError):
    """An item that makes no mention, with the reason."""


def kind_of_target(target: str) -> str | None:
    """Gives what a target holds, None where there is no such target."""
    group, dot, name = target.partition(".")
    return _OPEN_TARGETS.get(group) if dot and name else TARGETS.get(target)


def format_of(settings: FeedSettings) -> Format:
    """Gives the reader of the settings' format; for "feed" the selectors into an entry.

    Raises:
        ValueError: `items` is broken.
    """
    match settings.format:
        case "xml":
            if not settings.items:
                raise ValueError('it is missing; say where the items are, such as "/reviews/review"')
            return Xml(settings.items, settings.namespaces, allow_doctype=settings.allow_doctype)
        case "json":
            return Json(settings.items)
        case "jsonl":
            return JsonLines(settings.items)
        case "csv":
            if settings.items:
                raise ValueError("a CSV file has only rows; leave it out")
            return Csv(settings.delimiter, settings.columns)
        case _:
            if settings.items:
                raise ValueError("RSS, Atom and JSON Feed say themselves where their items are; leave it out")
            return Json("")


def fields_of(settings: FeedSettings) -> dict[str, FieldMap]:
    """Gives the mapping by target, what is known of syndicated feeds included."""
    known = SYNDICATION if settings.format == "feed" else {}
    return {
        target: FieldMap(select=each) if isinstance(each, str) else each
        for target, each in {**known, **settings.fields}.items()
    }


def mistakes(settings: FeedSettings) -> list[str]:
    """Gives a sentence for each mistake in `items`, `fields`, `paging.next` and `reply_page`."""
    found = []
    fields = fields_of(settings)
    if settings.format != "feed":
        if not settings.fields:
            found.append(f'format = "{settings.format}" needs a table [source.fields] that says what its parts mean')
        elif "id" not in settings.fields:
            found.append("`fields` has no `id`, without which nothing can be recognised again")
        if settings.fields and not {"text", "rating", "title", "pros", "cons"} & set(settings.fields):
            found.append("`fields` has neither `text` nor `rating`")
    try:
        reader: Format = format_of(settings)
    except ValueError as error:
        found.append(f"`items`: {error}")
        reader = Xml("x", settings.namespaces) if settings.format == "xml" else Json("")
    if settings.paging.next:
        try:
            reader.selector(settings.paging.next)
        except ValueError as error:
            found.append(f"`paging.next`: {error}")
    for target, field in fields.items():
        found += [f"`fields.{target}`: {sentence}" for sentence in _field_mistakes(target, field, fields, reader)]
    for hole in _HOLE.findall(settings.reply_page):
        if hole not in _REPLY_PAGE_WORDS and hole.partition(".")[0] != "fields":
            words = ", ".join(f"{{{word}}}" for word in (*_REPLY_PAGE_WORDS, "fields.NAME"))
            found.append(f"`reply_page` has {{{hole}}} in it; known are {words}")
    if settings.reply_page and not settings.reply_page.startswith(("http://", "https://")):
        found.append("`reply_page` must begin with https:// or http://")
    if "replied_at" in settings.fields and "reply" not in settings.fields:
        found.append("`fields.replied_at` is the time of `fields.reply`, which is missing")
    return found


def _field_mistakes(target: str, field: FieldMap, fields: Mapping[str, FieldMap], reader: Format) -> Iterator[str]:
    kind = kind_of_target(target)
    if kind is None:
        known = [*TARGETS, "sub_ratings.NAME", "fields.NAME"]
        near = get_close_matches(target, known, n=1)
        yield f"there is no such field; {f'did you mean `{near[0]}`' if near else 'known are ' + ', '.join(known)}"
        return
    sources = [bool(field.expressions and any(field.expressions)), field.const is not None, bool(field.template)]
    if sum(sources) != 1:
        yield "give one of `select`, `const` and `template`"
    if field.as_ and field.as_ not in CONVERSIONS[kind]:
        near = get_close_matches(field.as_, _ALL_CONVERSIONS, n=1)
        allowed = ", ".join(sorted(CONVERSIONS[kind]))
        if field.as_ in _ALL_CONVERSIONS:
            yield f'as = "{field.as_}" does not fit here; what fits is {allowed}'
        else:
            yield f'there is no as = "{field.as_}"; {f"did you mean {near[0]}" if near else f"what fits is {allowed}"}'
    if field.clean and field.clean not in _CLEANING:
        yield f'there is no clean = "{field.clean}"; there are {", ".join(_CLEANING)}'
    if field.scale and field.scale[0] == field.scale[1]:
        yield "the ends of `scale` are the same"
    if (field.scale or field.to != (1.0, 5.0)) and kind != RATING:
        yield "`scale` and `to` are for ratings"
    for end in field.to:
        if not 1 <= end <= 5:
            yield f"`to` ends at {end:g}, but ratings are from 1 to 5"
    if field.split and kind != LIST:
        yield "`split` is for pros, cons and attachments"
    if field.formats and kind != DATE and field.as_ != "date":
        yield "`formats` are for dates"
    for pattern in field.formats:
        yield from _complaint(dates.reader, pattern)
    if field.regex:
        yield from _complaint(patterns.one_group, field.regex)
    for expression in field.expressions:
        if expression:
            yield from _complaint(reader.selector, expression)
    for hole in _HOLE.findall(field.template):
        if hole not in fields:
            yield f"the template speaks of {{{hole}}}, which is not in `fields`"
        elif fields[hole].template:
            yield f"the template speaks of {{{hole}}}, which is a template itself"


def _complaint(compile: Callable[[str], Any], text: str) -> Iterator[str]:
    try:
        compile(text)
    except ValueError as error:
        yield str(error)


class _Field:
    """One compiled target: gives its value out of an item."""

    def __init__(self, target: str, field: FieldMap, format: Format, zone: ZoneInfo) -> None:
        self.target = target
        self.kind = kind_of_target(target) or TEXT
        self.spec = field
        self._zone = zone
        self._selectors: list[Selector] = [
            format.selector(expression, markup=bool(field.clean)) for expression in field.expressions
        ]
        standing = field.const if field.const is not None else field.default
        self._standing = None if standing is None else values.plain(standing)
        self._clean = _CLEANING.get(field.clean)
        self._regex = patterns.one_group(field.regex) if field.regex else None
        self._words = {fold(word.strip()): values.plain(meaning) for word, meaning in field.values.items()}
        self._formats = [dates.reader(pattern) for pattern in field.formats or dates.DEFAULT_FORMATS]
        if field.as_ in ("epoch_s", "epoch_ms"):
            self._formats = [dates.reader(field.as_)]

    def texts(self, item: Any) -> list[str]:
        """Gives the texts that the field is made of, before they are converted; [] where there is nothing."""
        spec = self.spec
        found = [text for select in self._selectors for raw in select(item) if (text := self._step(raw))]
        if not found and self._standing is None:
            return found
        if spec.join is not None and found:
            found = [spec.join.join(found)]
        if spec.split:
            found = [part for text in found for each in text.split(spec.split) if (part := each.strip())]
        if not found and self._standing is not None:
            found = [self._standing]
        return [self._words.get(fold(text), text) for text in found] if self._words else found

    def _step(self, text: str) -> str:
        if self._clean:
            text = self._clean(text)
        if self._regex:
            text = self._regex(text) or ""
        return text.strip(self.spec.strip or None).strip()

    def value(self, texts: Sequence[str]) -> Any:
        """Gives the value that the texts mean, None for nothing.

        Raises:
            ValueError: they do not mean what the target holds.
        """
        if self.kind == LIST:
            return tuple(texts)
        if not texts:
            return None
        text = texts[0]
        match self.spec.as_ or self.kind:
            case "rating":
                return values.rating(text, self.spec.scale or (), self.spec.to)
            case "number":
                number = values.number(text)
                if self.kind == RATING:
                    return values.rating(str(number), self.spec.scale or (), self.spec.to)
                return values.plain(number)
            case "date" | "epoch_s" | "epoch_ms":
                moment = dates.read(text, self._formats, self._zone)
                return moment if self.kind == DATE else moment.isoformat()
            case "boolean":
                truth = values.boolean(text)
                return truth if self.kind == BOOLEAN else values.plain(truth)
            case "language":
                return values.language(text)
        return text


class MentionMap:
    """A compiled mapping: makes mentions of items.

    Args:
        settings: checked ones.
        base: the feed's address, for relative links.
    """

    def __init__(self, settings: FeedSettings, base: str = "") -> None:
        self.format = format_of(settings)
        self.following = self.format.selector(settings.paging.next) if settings.paging.next else None
        zone = ZoneInfo(settings.timezone)
        specs = fields_of(settings)
        self._fields = [_Field(target, spec, self.format, zone) for target, spec in specs.items() if not spec.template]
        self._templates = {target: spec for target, spec in specs.items() if spec.template}
        self._kind = settings.kind or (Kind.POST if settings.format == "feed" else Kind.REVIEW)
        self._base = base

    @property
    def targets(self) -> list[str]:
        """The targets that the mapping speaks of."""
        return [*(field.target for field in self._fields), *self._templates]

    def mentions(self, item: Any, raw: Any = None) -> tuple[list[Mention], list[Trouble]]:
        """Gives the mention that an item makes, followed by the shop's reply where one stands there.

        Args:
            item: what the format's reader gave.
            raw: what to keep as the payload; the item itself where None.

        Returns:
            the mentions, and the fields that could not be read. What stood there is kept in `fields`.

        Raises:
            NoMention: it has no id, or nothing to read in it.
        """
        found: dict[str, Any] = {}
        raw_texts: dict[str, str] = {}
        troubles: list[Trouble] = []
        for field in self._fields:
            texts: list[str] = []
            try:
                texts = field.texts(item)
                raw_texts[field.target] = texts[0] if texts else ""
                found[field.target] = field.value(texts)
            except ValueError as error:
                trouble = Trouble(field.target, texts[0] if texts else "", str(error))
                troubles.append(trouble)
        for target, spec in self._templates.items():
            found[target] = _filled(spec.template, lambda name: raw_texts.get(name, "")) or None
        unread = {trouble.field: trouble.text for trouble in troubles if trouble.text}
        payload = self.format.raw(item) if raw is None else raw
        return self._mentions(found, raw_texts, unread, _without_secrets(payload)), troubles

    def _mentions(
        self, found: dict[str, Any], raw_texts: Mapping[str, str], unread: dict[str, str], raw: Any
    ) -> list[Mention]:
        mention_id = str(found.get("id") or "").strip()
        if not mention_id:
            raise NoMention("no id")
        rating = found.get("rating")
        said = any(found.get(part) for part in ("text", "title", "pros", "cons", "reply"))
        if not said and rating is None and "rating" not in unread:
            raise NoMention("no text and no rating")
        author = Author(
            id=found.get("author_id") or None,
            name=found.get("author") or "",
            url=self._link(found.get("author_url")),
        )
        url = self._link(found.get("url"))
        mention = Mention(
            id=mention_id,
            kind=self._kind,
            text=found.get("text") or "",
            created_at=found.get("created_at"),
            author=author if author != Author() else None,
            title=found.get("title") or "",
            thread_id=found.get("thread_id"),
            parent_id=found.get("parent_id"),
            rating=rating,
            rating_raw=raw_texts.get("rating", "") or unread.get("rating", ""),
            sub_ratings=_group(found, "sub_ratings"),
            recommends=found.get("recommends"),
            pros=found.get("pros") or (),
            cons=found.get("cons") or (),
            order_id=found.get("order_id") or "",
            product=found.get("product") or "",
            product_url=self._link(found.get("product_url")),
            url=url,
            edited_at=found.get("edited_at"),
            language=found.get("language"),
            attachments=tuple(
                _attachment(link) for each in found.get("attachments") or () if (link := self._link(each))
            ),
            fields={**_group(found, "fields"), **unread},
            raw=raw,
        )
        reply = found.get("reply")
        return [mention, self._reply(mention, reply, found.get("replied_at"))] if reply else [mention]

    @staticmethod
    def _reply(mention: Mention, text: str, at: datetime | None) -> Mention:
        return Mention(
            id=f"{mention.id}:reply",
            kind=Kind.COMMENT,
            text=text,
            created_at=at,
            thread_id=mention.thread_id or mention.id,
            parent_id=mention.id,
            ours=True,
            url=mention.url,
            language=mention.language,
        )

    def _link(self, link: str | None) -> str:
        if not link:
            return ""
        try:
            link = link.strip()
            whole = link if link.startswith(("http://", "https://")) else urljoin(self._base, link)
            parts = urlsplit(whole)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                return ""
        except ValueError:
            return ""
        return whole if redact(whole) == whole and "@" not in parts.netloc else safe_url(whole)


def reply_page(template: str, mention: Mention) -> str:
    """Gives the page where a person can reply to `mention`, by the `reply_page` of the settings."""

    def word(name: str) -> str:
        group, _, rest = name.partition(".")
        if group == "fields":
            return mention.fields.get(rest, "")
        if name == "author_id":
            return (mention.author and mention.author.id) or ""
        return str(getattr(mention, name) or "")

    return _filled(template, word)


def hashed_id(*parts: object) -> str:
    """Gives an id made of what an item says, for feeds whose items have neither id nor link."""
    return "sha256:" + hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _filled(template: str, word: Callable[[str], str]) -> str:
    """Fills the holes of a template, in one pass; in an address each value is quoted. "" where a value is missing."""
    address = template.startswith(("http://", "https://"))
    missing = False

    def fill(hole: re.Match[str]) -> str:
        nonlocal missing
        value = word(hole[1])
        missing = missing or not value
        return quote(value, safe="", errors="replace") if address and hole.start() else value

    text = _HOLE.sub(fill, template)
    return "" if missing else text


def _group(found: Mapping[str, Any], group: str) -> dict[str, Any]:
    begin = f"{group}."
    return {
        target.removeprefix(begin): value
        for target, value in found.items()
        if target.startswith(begin) and value not in (None, "")
    }


def _attachment(link: str) -> Attachment:
    kind = (mimetypes.guess_type(urlsplit(link).path)[0] or "link").partition("/")[0]
    return Attachment(type=kind, url=link)


def _without_secrets(raw: Any) -> Any:
    if isinstance(raw, str):
        return redact(raw)
    text = msgspec.json.encode(raw).decode()
    clean = redact(text)
    return raw if clean == text else msgspec.json.decode(clean)


def held_targets(mention: Mention) -> set[str]:
    """Gives the targets that hold something in a mention, for the report of `check`."""
    held = {name for name in TARGETS if getattr(mention, name, None)}
    author = mention.author or Author()
    held -= {"author"}
    held |= {
        name for name, value in (("author", author.name), ("author_id", author.id), ("author_url", author.url)) if value
    }
    held |= {"recommends"} if mention.recommends is not None else set()
    held |= {f"sub_ratings.{name}" for name in mention.sub_ratings}
    return held | {f"fields.{name}" for name in mention.fields}
