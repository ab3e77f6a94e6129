"""One thread for each account, and the waits in the event loop.

PRAW blocks and is not safe for threads, so everything an account does runs one after the other in a thread of its own,
whichever sources it serves. How long Reddit wants us to wait is computed before a call is handed to that thread.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from reviewdesk.connector import Exchange, Observer, RateLimited, Unreachable
from reviewdesk_connectors.reddit.allowance import Allowance
from reviewdesk_connectors.reddit.settings import RedditSettings

if TYPE_CHECKING:
    from reviewdesk_connectors.reddit.client import Client

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that a call waits for Reddit in the event loop; a longer wait is the desk's to plan."""
RESERVE = 5
"""Calls of each window that reading leaves to replies, for which a person waits."""
READ_AGAIN_AFTER = (0.5, 2.0)
"""Seconds before a read that found no answer is tried again."""


class Account:
    """An account's thread with its PRAW in it, shared by all sources of that account.

    Args:
        settings: of the first source that asks for it.
        private_network: Reddit's addresses may lead into the private network.
    """

    def __init__(self, settings: RedditSettings, *, private_network: bool = False) -> None:
        self._private_network = private_network
        self.name = settings.username
        self.key = _key(settings, private_network)
        self.users = 0
        self._settings = settings
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reddit")
        self._client: Client | None = None

    @property
    def allowance(self) -> Allowance:
        """What Reddit said last of the remaining calls."""
        return self._client.allowance if self._client else Allowance()

    async def read(
        self,
        path: str,
        params: Mapping[str, str | int],
        clock: Callable[[], datetime],
        observer: Observer | None = None,
    ) -> Any:
        """Gives an answer as parsed JSON; asks again after network trouble, since reading twice is harmless.

        Args:
            observer: is called with each request, from the event loop.

        Raises:
            RateLimited: Reddit wants a longer wait than `PATIENCE`.
            ConnectorError: as `Client.get`.
        """
        for pause in READ_AGAIN_AFTER:
            try:
                return await self.call(lambda client: client.get(path, params), clock, observer, reserve=RESERVE)
            except Unreachable:
                await asyncio.sleep(pause)
        return await self.call(lambda client: client.get(path, params), clock, observer, reserve=RESERVE)

    async def call(
        self,
        work: Callable[[Client], T],
        clock: Callable[[], datetime],
        observer: Observer | None = None,
        *,
        reserve: int = 0,
    ) -> T:
        """Does `work` in the account's thread, after the wait that Reddit wants.

        Raises:
            RateLimited: that wait is longer than `PATIENCE`; nothing was sent.
            ConnectorError: what `work` raises.
        """
        wait = self.allowance.wait(reserve=reserve)
        if wait > PATIENCE:
            raise RateLimited(
                f"Reddit's allowance is used up for {math.ceil(wait)} s.", until=clock() + timedelta(seconds=wait)
            )
        if wait > 0:
            await asyncio.sleep(wait)
        loop = asyncio.get_running_loop()

        def tell(exchange: Exchange) -> None:
            if observer is not None:
                loop.call_soon_threadsafe(observer, exchange)

        return await loop.run_in_executor(self._executor, self._do, work, clock, tell)

    async def me(self, clock: Callable[[], datetime], observer: Observer | None = None) -> str:
        """Gives the account's name; asked for once where the settings do not tell it, "" where nobody signs in."""
        if not self.name and self._settings.signs_in:
            told = await self.read("api/v1/me", {}, clock, observer)
            self.name = str(told.get("name") or "") if isinstance(told, dict) else ""
        return self.name

    def _do(self, work: Callable[[Client], T], clock: Callable[[], datetime], observer: Observer) -> T:
        if self._client is None:
            from reviewdesk_connectors.reddit.client import Client

            self._client = Client(self._settings, clock, private_network=self._private_network)
        self._client.observe(observer)
        return work(self._client)

    def shut(self) -> None:
        """Closes the connections after what is running, and ends the thread; does not wait for it."""
        self._executor.submit(lambda: self._client.close() if self._client else None)
        self._executor.shutdown(wait=False)


_accounts: dict[Hashable, Account] = {}


def acquire(settings: RedditSettings, *, private_network: bool = False) -> Account:
    """Gives the account of these settings, the same to all who ask until each has released it."""
    account = Account(settings, private_network=private_network)
    account = _accounts.setdefault(account.key, account)
    account.users += 1
    return account


def release(account: Account) -> None:
    """Gives an account back; the last one ends its thread."""
    account.users -= 1
    if account.users == 0:
        _accounts.pop(account.key).shut()


def _key(settings: RedditSettings, private_network: bool) -> Hashable:
    who: Hashable = settings.username.casefold() or settings.refresh_token
    return settings.reddit_url, settings.oauth_url, settings.client_id, who, private_network
