"""What the doctor asks a Page: is the token good, for what, how long; is the Page there; are there silent lies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec

from reviewdesk.connector import AuthFailed, ConfigError, ConnectorError, Context, Finding, Level
from reviewdesk_connectors.facebook.errors import RENEW, Trouble, rule_for, trouble_of
from reviewdesk_connectors.facebook.graph import Graph
from reviewdesk_connectors.facebook.payloads import ErrorBody, Listing, Page, Post, Token, clean, read
from reviewdesk_connectors.facebook.polling import RATINGS_GONE, RATINGS_VERSION
from reviewdesk_connectors.facebook.settings import FacebookSettings

WARN_DAYS = 14
NEEDED = {
    "pages_read_engagement": "reading the Page's own posts",
    "pages_read_user_content": "reading visitors' posts, comments and reviews",
    "pages_manage_engagement": "replying, hiding and deleting",
}
"""Permissions without which the desk cannot work, and what each is for."""
WANTED = {"pages_messaging": "private replies"}
"""Permissions without which one function is missing."""


async def inspect(context: Context[FacebookSettings], graph: Graph) -> list[Finding]:
    """Gives every finding; a step that fails becomes one."""
    findings: list[Finding] = []
    for step in (_token, _page, _comments, _ratings):
        try:
            findings += [finding async for finding in step(context, graph)]
        except (ConnectorError, ConfigError) as error:
            findings.append(_fault(error.sentence, error.hint))
            if isinstance(error, AuthFailed | ConfigError):
                # Nothing else can be asked.
                return findings
        except msgspec.MsgspecError as error:
            findings.append(Finding(level=Level.WARNING, sentence=f"Facebook answers in another shape: {error}."))
    return findings


def _ok(sentence: str, expires_at: datetime | None = None) -> Finding:
    return Finding(level=Level.OK, sentence=sentence, expires_at=expires_at)


def _warning(sentence: str, hint: str = "") -> Finding:
    return Finding(level=Level.WARNING, sentence=sentence, hint=hint)


def _fault(sentence: str, hint: str = "") -> Finding:
    return Finding(level=Level.FAULT, sentence=sentence, hint=hint)


async def _token(context: Context[FacebookSettings], graph: Graph) -> AsyncIterator[Finding]:
    try:
        token = read(clean((await graph.inspect_token()).get("data", {})), Token)
    except AuthFailed:
        raise
    except ConnectorError as error:
        yield _warning(
            f"The token could not be looked into. {error.sentence}",
            "Set app_id and app_secret: debug_token answers the app that the token was made for.",
        )
        return
    if not token.is_valid:
        rule = rule_for(ErrorBody(code=token.error.code, error_subcode=token.error.subcode) if token.error else DEAD)
        yield _fault(rule.sentence, rule.hint)
        return
    page = context.settings.page_id
    if token.type != "PAGE":
        yield _fault(
            f"The token is of the type {token.type or 'unknown'}, not PAGE: Facebook may answer it with empty lists.",
            "Take the Page's own token from /me/accounts. " + RENEW,
        )
    elif str(token.profile_id) not in ("", page):
        yield _fault(f"The token belongs to the Page {token.profile_id}, not to {page}.", RENEW)
    else:
        yield _ok("The token is the Page's and is valid.")
    for scope, purpose in {**NEEDED, **WANTED}.items():
        missing = _missing(token, scope, page)
        if missing:
            make = _fault if scope in NEEDED else _warning
            yield make(f"{missing} It is needed for {purpose}.", "Grant it and make a new token.")
    now = context.clock()
    yield _until("The token", token.expires_at, now)
    yield _until("Access to data", token.data_access_expires_at, now)


DEAD = ErrorBody(code=190)


def _missing(token: Token, scope: str, page: str) -> str:
    if scope not in token.scopes:
        return f"The permission {scope} is missing."
    for each in token.granular_scopes:
        if each.scope == scope and each.target_ids and page not in map(str, each.target_ids):
            return f"The permission {scope} was granted for other Pages only."
    return ""


def _until(what: str, seconds: int, now: datetime) -> Finding:
    """Gives how long something lasts: the API counts 90 days from the administrator's last use of the app."""
    if not seconds:
        return _ok(f"{what} does not expire.")
    end = datetime.fromtimestamp(min(max(seconds, 0), 253402300799), UTC)
    days = (end - now) // timedelta(days=1)
    if end <= now:
        return Finding(level=Level.FAULT, sentence=f"{what} has lapsed.", hint=RENEW, expires_at=end)
    level = Level.WARNING if days < WARN_DAYS else Level.OK
    hint = "The Page's administrator authorises the app again before that." if level is Level.WARNING else ""
    return Finding(level=level, sentence=f"{what} lasts {days} more days.", hint=hint, expires_at=end)


async def _page(context: Context[FacebookSettings], graph: Graph) -> AsyncIterator[Finding]:
    fields = "id,name,is_published,overall_star_rating,rating_count"
    page = read(clean(await graph.get(context.settings.page_id, {"fields": fields})), Page)
    if page.is_published is False:
        yield _warning(f"The Page {page.name} is not published, so nobody can write there.")
    else:
        yield _ok(f"The Page {page.name} can be read.")
    asked = context.settings.api_version
    if graph.served_version and graph.served_version != asked:
        yield _warning(
            f"Facebook answered in its version {graph.served_version}; {asked} is not served to the app.",
            f'Set api_version = "{graph.served_version}".',
        )
    if graph.busy and graph.usage:
        yield _warning(f"{graph.usage.used:.0%} of the calls that Facebook allows are used ({graph.usage.note}).")


async def _comments(context: Context[FacebookSettings], graph: Graph) -> AsyncIterator[Finding]:
    """Looks for the silent lie: comments are counted, and none is handed out."""
    fields = "id,comments.filter(stream).limit(0).summary(true)"
    feed = read(await graph.get(f"{context.settings.page_id}/feed", {"fields": fields, "limit": 10}), Listing)
    posts = [read(clean(row), Post) for row in feed.data]
    counted = [post for post in posts if post.comments and post.comments.summary and post.comments.summary.total_count]
    if not posts:
        yield _warning(
            "Facebook lists no posts of the Page.",
            "If the Page has posts, the token is a person's or lacks pages_read_user_content.",
        )
    for post in counted[:3]:
        listing = read(
            await graph.get(f"{post.id}/comments", {"filter": "stream", "limit": 5, "fields": "id"}), Listing
        )
        if listing.data:
            yield _ok("Comments are handed out.")
            return
    if counted:
        yield _fault("Facebook counts comments and hands out none: the token is probably a person's.", RENEW)


async def _ratings(context: Context[FacebookSettings], graph: Graph) -> AsyncIterator[Finding]:
    if not context.settings.ratings:
        return
    for version in dict.fromkeys((context.settings.api_version, RATINGS_VERSION)):
        try:
            await graph.get(
                f"{context.settings.page_id}/ratings", {"limit": 1, "fields": "created_time"}, version=version
            )
        except ConnectorError as error:
            if trouble_of(error) is not Trouble.NO_FUNCTION:
                yield _warning(f"Reviews cannot be read. {error.sentence}", error.hint)
                return
        else:
            yield _ok(f"Reviews can be read ({version}).")
            return
    yield _warning(RATINGS_GONE)
