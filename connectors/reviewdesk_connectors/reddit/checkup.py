"""What `reviewdesk doctor` shows of a Reddit source."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from reviewdesk.connector import Actor, ConfigError, ConnectorError, Finding, Level, NotThere, PermissionMissing
from reviewdesk_connectors.reddit.payloads import is_me
from reviewdesk_connectors.reddit.session import Account
from reviewdesk_connectors.reddit.settings import RedditSettings

_PLACEHOLDER = re.compile(r"[<>]|\b(your|example|changeme|username|our_account|user_agent)\b", re.IGNORECASE)


async def findings(config: RedditSettings, account: Account, clock: Callable[[], datetime]) -> AsyncIterator[Finding]:
    """Looks at the user agent, the application and its account, the scopes, the communities and the allowance."""
    if _PLACEHOLDER.search(config.user_agent):
        yield Finding(
            level=Level.FAULT,
            sentence=f"user_agent {config.user_agent!r} is a placeholder, and Reddit blocks such programs.",
            hint="Say who asks, with your own account: linux:my-shop-desk:1.0 (by /u/your_account)",
        )
    try:
        async for finding in _of_account(config, account, clock):
            yield finding
        for name in config.subreddits:
            yield await _of_community(name, account, clock)
    except (ConnectorError, ConfigError) as error:
        level = Level.WARNING if error.actor is Actor.TIME else Level.FAULT
        yield Finding(level=level, sentence=error.sentence, hint=error.hint)
    budget = account.allowance.budget(clock())
    if budget is not None:
        yield Finding(level=Level.OK, sentence=f"Reddit's allowance: {budget.note}.")


async def _of_account(
    config: RedditSettings, account: Account, clock: Callable[[], datetime]
) -> AsyncIterator[Finding]:
    granted = await account.call(lambda client: client.scopes(), clock)
    missing = [] if "*" in granted else [scope for scope in _wanted(config) if scope not in granted]
    if missing:
        yield Finding(
            level=Level.FAULT,
            sentence=f"The token lacks the scopes: {', '.join(missing)}.",
            hint="Ask for a new permanent token with them.",
        )
    if not config.signs_in:
        yield Finding(
            level=Level.WARNING,
            sentence="Nobody is signed in: Reddit is only read, without replies and without the inbox.",
            hint="Set refresh_token, or username and password.",
        )
    elif "identity" not in missing:
        yield await _of_identity(config, account, clock)


async def _of_identity(config: RedditSettings, account: Account, clock: Callable[[], datetime]) -> Finding:
    told = await account.read("api/v1/me", {}, clock)
    told = told if isinstance(told, dict) else {}
    name = str(told.get("name") or "")
    if told.get("is_suspended"):
        return Finding(level=Level.FAULT, sentence=f"The account u/{name} is suspended by Reddit.")
    if config.username and not is_me(name, config.username):
        return Finding(
            level=Level.FAULT,
            sentence=f"The token is of u/{name}, the settings say u/{config.username}.",
            hint="Correct username, or ask for a token as that account.",
        )
    return Finding(level=Level.OK, sentence=f"Signed in to Reddit as u/{name}.")


async def _of_community(name: str, account: Account, clock: Callable[[], datetime]) -> Finding:
    """Asks for one community alone: in a list of several, Reddit passes over a misspelt one without a word."""
    try:
        await account.read(f"r/{name}/about/", {}, clock)
    except (NotThere, PermissionMissing) as error:
        return Finding(level=Level.FAULT, sentence=f"r/{name}: {error.sentence}", hint=error.hint)
    return Finding(level=Level.OK, sentence=f"r/{name} can be read.")


def _wanted(config: RedditSettings) -> tuple[str, ...]:
    if not config.signs_in:
        return ("read",)
    inbox = ("privatemessages",) if config.mentions else ()
    return ("identity", "read", "submit", "edit", "history", *inbox)
