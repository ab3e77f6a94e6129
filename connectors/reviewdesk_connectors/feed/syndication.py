"""Items out of RSS 0.9x to 2.0, Atom and JSON Feed, in one shape.

feedparser reads the XML formats; it does not read JSON Feed (its released versions give no entries), so that is done
here. An entry is a dict of what is the same in all formats, with the whole of what was received under "entry":

    id, url, title, text, author, author_url, created_at, edited_at, language, tags, attachments, entry
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from typing import Any

from reviewdesk.connector import BadAnswer, JsonObject, html_to_text
from reviewdesk_connectors.feed.document import Document, clean_xml
from reviewdesk_connectors.feed.formats import Unreadable, read_json
from reviewdesk_connectors.feed.mapping import hashed_id
from reviewdesk_connectors.feed.values import plain

_JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/1(\.\d+)?/?$")
_PROLOG = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*<!DOCTYPE[^>\[]*\[", re.DOTALL)


def entries(document: Document, *, allow_doctype: bool = False) -> list[JsonObject | Unreadable]:
    """Gives the entries of a feed, `Unreadable` ones among them; fills what a reader fills in the document.

    Raises:
        BadAnswer: it is none of the formats, or declares entities of its own.
    """
    start = document.text().read(256).lstrip("\ufeff \t\r\n")
    found = _json_feed(document) if start.startswith(("{", "[")) else _xml_feed(document, allow_doctype)
    document.total = len(found)
    return found


def _xml_feed(document: Document, allow_doctype: bool) -> list[JsonObject | Unreadable]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import feedparser

        data = b"".join(clean_xml(document))
        if _PROLOG.match(data[:65536]) and not allow_doctype:
            raise BadAnswer(
                f"{document.place} declares entities of its own, so it was not read.",
                hint="If the feed needs it and you trust it, set allow_doctype = true.",
            )
        # As a stream, since feedparser would take bytes for a file's name first.
        parsed = feedparser.parse(
            io.BytesIO(data),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
        )
    if not parsed.get("version") and not parsed.entries:
        raise BadAnswer(
            f"{document.place} is neither RSS nor Atom nor JSON Feed.",
            hint='For any other XML, JSON or CSV set `format` and describe it in a table "fields".',
        )
    trouble = parsed.get("bozo_exception") if parsed.bozo else None
    if trouble is not None and "Encoding" not in type(trouble).__name__:
        document.notes.append(f"It is not well-formed, and was read as far as possible ({_first_line(trouble)}).")
    feed = parsed.feed
    document.next = next((link.get("href", "") for link in feed.get("links", ()) if link.get("rel") == "next"), "")
    document.wait_minutes = _minutes(feed.get("ttl"))
    return [_entry(each, feed.get("language")) for each in parsed.entries]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _minutes(text: Any) -> float:
    try:
        return max(0.0, float(text))
    except (TypeError, ValueError):
        return 0.0


def _entry(entry: dict[str, Any], language: str | None) -> JsonObject:
    bodies = [*entry.get("content", ()), entry.get("summary_detail") or {}]
    body: Mapping[str, Any] = next((each for each in bodies if each.get("value")), {})
    author = entry.get("author_detail") or {}
    title = entry.get("title_detail") or {}
    links = entry.get("links", ())
    return _identified(
        {
            "id": entry.get("id"),
            "url": entry.get("link") or next((link["href"] for link in links if link.get("href")), None),
            "title": _text(title),
            "text": _text(body),
            "author": author.get("name") or entry.get("author") or author.get("email"),
            "author_url": author.get("href"),
            # feedparser gives the time of publication for the missing one of the last change.
            "created_at": entry.get("published") or entry.get("created") or dict.get(entry, "updated"),
            "edited_at": dict.get(entry, "updated") if entry.get("published") else None,
            "language": body.get("language") or title.get("language") or language,
            "tags": ", ".join(term for tag in entry.get("tags", ()) if (term := tag.get("label") or tag.get("term"))),
            "attachments": [link["href"] for link in links if link.get("rel") == "enclosure" and link.get("href")],
            "entry": _json(entry),
        }
    )


def _text(detail: Mapping[str, Any]) -> str:
    value = str(detail.get("value") or "")
    return value if detail.get("type") == "text/plain" else html_to_text(value)


def _json(value: Any) -> Any:
    """Gives what feedparser found as plain JSON, without its own readings of dates and its doubles of texts."""
    if isinstance(value, Mapping):
        return {
            str(name): _json(each)
            for name, each in value.items()
            if not str(name).endswith(("_parsed", "_detail")) and each is not None
        }
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _json_feed(document: Document) -> list[JsonObject | Unreadable]:
    root = read_json(document.text().read(), document.place)
    version = root.get("version") if isinstance(root, dict) else None
    if not isinstance(version, str) or not _JSON_FEED.match(version) or not isinstance(root.get("items"), list):
        raise BadAnswer(
            f"{document.place} is JSON, but no JSON Feed.",
            hint='Set format = "json" and describe it in a table "fields".',
        )
    following = root.get("next_url")
    document.next = following if isinstance(following, str) else ""
    return [
        _json_entry(each, root) if isinstance(each, dict) else Unreadable(plain(each), "an item is no object")
        for each in root["items"]
    ]


def _json_entry(item: JsonObject, feed: JsonObject) -> JsonObject:
    author = next(iter(_authors(item) or _authors(feed)), {})
    html, text = item.get("content_html"), item.get("content_text")
    attachments = item.get("attachments")
    tags = item.get("tags")
    return _identified(
        {
            "id": plain(item.get("id")),
            "url": item.get("url") or item.get("external_url"),
            "title": item.get("title"),
            "text": text if isinstance(text, str) and text else html_to_text(plain(html or item.get("summary"))),
            "author": author.get("name"),
            "author_url": author.get("url"),
            "created_at": item.get("date_published"),
            "edited_at": item.get("date_modified"),
            "language": item.get("language") or feed.get("language"),
            "tags": ", ".join(map(plain, tags)) if isinstance(tags, list) else "",
            "attachments": [
                each["url"] for each in attachments if isinstance(each, dict) and isinstance(each.get("url"), str)
            ]
            if isinstance(attachments, list)
            else [],
            "entry": item,
        }
    )


def _authors(place: JsonObject) -> list[JsonObject]:
    many = place.get("authors")
    found = many if isinstance(many, list) and many else [place.get("author")]
    return [each for each in found if isinstance(each, dict)]


def _identified(entry: JsonObject) -> JsonObject:
    """Gives the entry with an id in any case: its own, else its link, else a hash of what it says."""
    if not entry["id"]:
        words = (entry["title"], entry["author"], entry["created_at"], str(entry["text"] or "")[:200])
        if entry["url"] or any(words):
            entry["id"] = entry["url"] or hashed_id(*words)
    return entry
