"""The keys of a Reddit `[[source]]` table."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from reviewdesk.connector import Secret, Settings

_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}|u_[A-Za-z0-9_-]{2,20}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RedditSettings(Settings, frozen=True, kw_only=True):
    """What a source listens to, and as whom.

    With `refresh_token`, or with `username` and `password` of a script application, it can reply and has an inbox.
    With neither it only reads. What `keywords` filters are the comments and posts of `subreddits`; a keyword matches at
    the start of a word, without case and diacritics, so that "alza" finds "Alzy" and "alzou".
    """

    client_id: Annotated[str, msgspec.Meta(description="the id of the application, from reddit.com/prefs/apps")]
    user_agent: Annotated[str, msgspec.Meta(description="who is asking: linux:my-shop-desk:1.0 (by /u/our_account)")]
    client_secret: Annotated[
        Secret | None, msgspec.Meta(description="the application's secret; installed applications have none")
    ] = None
    refresh_token: Annotated[
        Secret | None, msgspec.Meta(description="a permanent token of the account that replies; the better way")
    ] = None
    username: Annotated[str, msgspec.Meta(description="the account's name, without u/")] = ""
    password: Annotated[Secret | None, msgspec.Meta(description="the account's password, for script applications")] = (
        None
    )
    subreddits: Annotated[
        tuple[str, ...], msgspec.Meta(description="communities whose new comments and posts are read, without r/")
    ] = ()
    keywords: Annotated[
        tuple[str, ...], msgspec.Meta(description="keep only what names one of these; empty keeps everything")
    ] = ()
    search: Annotated[
        tuple[str, ...], msgspec.Meta(description="posts all over Reddit that match; Reddit cannot search in comments")
    ] = ()
    domains: Annotated[tuple[str, ...], msgspec.Meta(description="posts that link to these domains")] = ()
    mentions: Annotated[
        bool, msgspec.Meta(description="read the inbox: u/ mentions of the account and replies to it")
    ] = True
    first_days: Annotated[int, msgspec.Meta(description="how far back the first poll looks", ge=0, le=3650)] = 30
    recheck_days: Annotated[
        int, msgspec.Meta(description="how long edits and deletions are looked for; 0 for never", ge=0, le=365)
    ] = 14
    recheck_items: Annotated[int, msgspec.Meta(description="of how many items at the most", ge=0, le=5000)] = 500
    recheck_minutes: Annotated[int, msgspec.Meta(description="how often", ge=0, le=10080)] = 60
    oauth_url: Annotated[str, msgspec.Meta(description="the API's address")] = "https://oauth.reddit.com"
    reddit_url: Annotated[str, msgspec.Meta(description="the address that gives tokens")] = "https://www.reddit.com"

    def __post_init__(self) -> None:
        """Raises `ValueError` for what no type can say."""
        if not self.client_id.strip():
            raise ValueError("client_id is blank; it stands under the application's name at reddit.com/prefs/apps")
        agent = self.user_agent
        if len(agent.strip()) < 7 or not (agent.isprintable() and agent.isascii()):
            raise ValueError(
                "user_agent must say who asks, in plain ASCII, like: linux:my-shop-desk:1.0 (by /u/our_account)"
            )
        if self.refresh_token and self.password:
            raise ValueError("set refresh_token or password, not both")
        if self.password and not (self.username and self.client_secret):
            raise ValueError("a password needs username and client_secret beside it (a script application)")
        if self.username and not self.signs_in:
            raise ValueError(f"username {self.username!r} needs a refresh_token, or a password, beside it")
        for name in self.subreddits:
            if not _SUBREDDIT.fullmatch(name):
                raise ValueError(f"subreddits: {name!r} is no community's name; write it without r/, as in 'czech'")
        for domain in self.domains:
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"domains: {domain!r} is no domain; write it like 'shop.example'")
        if any(not word.strip() for word in (*self.keywords, *self.search)):
            raise ValueError("keywords and search must not hold blank words")
        if not (self.subreddits or self.search or self.domains or (self.mentions and self.signs_in)):
            raise ValueError("nothing to listen to: set subreddits, search or domains, or sign in for the inbox")
        for name, url in (("oauth_url", self.oauth_url), ("reddit_url", self.reddit_url)):
            parts = urlsplit(url)
            if not parts.hostname or not (
                parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
            ):
                raise ValueError(f"{name} {url!r} must be an https address; a password goes there")

    @property
    def signs_in(self) -> bool:
        """True where there is an account to read an inbox and to reply with."""
        return self.refresh_token is not None or self.password is not None

    @property
    def on_loopback(self) -> bool:
        """True where an emulator is spoken to, so that no proxy comes in between."""
        return urlsplit(self.oauth_url).hostname in _LOOPBACK
