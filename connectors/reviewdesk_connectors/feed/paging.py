"""Where the next page of a feed is: five styles, told by settings, behind the same guards.

A place is a JSON object of one entry ({"page": 3}, {"offset": 200}, {"cursor": "…"}, {"url": "…"}), {} for the start.
"""

from __future__ import annotations

from typing import Any

from reviewdesk.connector import JsonObject, next_link
from reviewdesk_connectors.feed.document import Document
from reviewdesk_connectors.feed.settings import Paging

_FIRST = {"page": 1, "offset": 0}


def parameters(paging: Paging, place: JsonObject) -> dict[str, Any]:
    """Gives the query parameters that ask for a place."""
    asked: dict[str, Any] = {}
    style = paging.style
    if style in _FIRST:
        asked[paging.parameter or style] = place.get(style, _first(paging))
    elif style == "cursor" and "cursor" in place:
        asked[paging.parameter or "cursor"] = place["cursor"]
    if paging.size_parameter and "url" not in place:
        asked[paging.size_parameter] = paging.size
    return asked


def following(
    paging: Paging, place: JsonObject, document: Document, items: int, *, first_poll: bool
) -> JsonObject | None:
    """Gives the place after this one, None at the end.

    Args:
        document: the page that was read.
        items: how many items it had; a page without any is the last.
        first_poll: RSS, Atom and JSON Feed are followed into the past only then.
    """
    match paging.style:
        case "page" if items:
            return {"page": place.get("page", _first(paging)) + 1}
        case "offset" if items:
            return {"offset": place.get("offset", _first(paging)) + items}
        case "cursor" if document.next:
            return {"cursor": document.next}
        case "next" if document.next:
            return {"url": document.next}
        case "link":
            link = next_link(document.headers)
            return {"url": link} if link else None
        case "" if document.next and first_poll:
            return {"url": document.next}
    return None


def _first(paging: Paging) -> int:
    return paging.first if paging.first is not None else _FIRST[paging.style]
