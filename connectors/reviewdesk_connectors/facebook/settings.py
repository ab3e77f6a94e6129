"""The `[[source]]` table of a Facebook Page."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from reviewdesk.connector import Secret, Settings


class FacebookSettings(Settings, frozen=True, kw_only=True):
    """One Page.

    Attributes:
        page_id: the Page's number.
        token: a Page access token, best one that does not expire.
        app_id, app_secret: of the Meta app; needed to look into the token, and the secret to sign each call.
        api: the API's address.
        api_version: the version of the Graph API that is asked for.
        token_in: where the token travels. Never in a URL by default; `parameter` is for old edges that want it there.
        comment_length: the longest reply in characters. Meta documents no number; 8000 is the one commonly quoted.
        language: the language of the Page's customers (ISO 639-1) where all write in one; left out where they do not.
        watch_days: how long after its last sign of life a post is watched for new comments, edits and deletions.
        ads: watch the comments under ads, which are in no other list.
        tagged: read posts of others in which the Page is tagged.
        ratings: read recommendations, where the API still gives them.
        reply_to_ratings: try to answer recommendations by API. Meta documents no way to; some Pages can.
    """

    page_id: Annotated[str, Meta(pattern=r"^[0-9]+$", description="the Page's number")]
    token: Secret
    app_id: str = ""
    app_secret: Secret | None = None
    api: Annotated[str, Meta(pattern=r"^https?://[^\s/]+/?$", description="an address without a path")] = (
        "https://graph.facebook.com"
    )
    api_version: Annotated[str, Meta(pattern=r"^v[0-9]+\.[0-9]+$", description='such as "v25.0"')] = "v25.0"
    token_in: Literal["header", "parameter"] = "header"  # noqa: S105 - a place, not a token
    comment_length: Annotated[int, Meta(ge=1, le=63206)] = 8000
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$", description='two small letters such as "cs"')] | None = None
    watch_days: Annotated[int, Meta(ge=1, le=365)] = 45
    ads: bool = True
    tagged: bool = True
    ratings: bool = True
    reply_to_ratings: bool = False
