"""`reviewdesk poll`: one round of asking, assessing and sending."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click

from reviewdesk.assess import Assessor
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.config import Config
from reviewdesk.store.db import Store


@click.command(
    "poll",
    cls=DeskCommand,
    examples=(
        "reviewdesk poll --quiet",
        "reviewdesk poll --source heureka --now",
        "reviewdesk poll --source heureka --trace",
    ),
)
@click.option("--source", "only", multiple=True, metavar="ID", help="Only this source, parked or not; may be repeated.")
@click.option("--now", is_flag=True, help="Ask also the sources whose time has not come.")
@click.option("--json", "as_json", is_flag=True, help="Tell each step as a line of JSON on stdout.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong, and each thing once.")
@click.option("--trace", is_flag=True, help="Tell each request, and what became of each item.")
@pass_session
def poll_command(session: Session, only: tuple[str, ...], now: bool, as_json: bool, quiet: bool, trace: bool) -> int:
    """Ask the sources for what is new, assess it, send replies.

    Asks every source whose time has come, and sends the replies that are due. Safe to overlap and safe to kill: runs
    share the work, and the next one goes on where this one stopped.

    Exit code 0 when all is well, 4 when a platform is out of reach for now, 5 when something waits for a person.
    """
    from reviewdesk.cli.logs import log_to_file

    log_to_file()
    config = session.config
    with session.store(config, begin=True) as store:
        if not _anything_due(config, store, only, now):
            if not quiet and not as_json:
                say(
                    "Nothing is due."
                    if config.sources
                    else f"{config.path} names no [[source]], so there is nothing to ask."
                )
            return _standing_faults(config, store)
        from reviewdesk.cli.narrate import Narrator

        with Narrator(as_json=as_json, quiet=quiet, terminal=sys.stderr.isatty()) as narrator:
            asyncio.run(_round(config, store, only, now, trace, narrator))
        _tell_of_scorer(config, store, quiet=quiet)
        return max(narrator.exit_code, _standing_faults(config, store))


def _anything_due(config: Config, store: Store, only: tuple[str, ...], now: bool) -> bool:
    """Looks before the network's libraries are imported: most calls by cron find nothing to do."""
    store.mentions.wake()
    if only or now:
        return True
    if store.outbox.waits() or store.mentions.unassessed(Assessor.version, limit=1):
        return True
    return any(
        source.enabled
        and store.sources.is_due(source.id)
        and not store.sources.is_parked(source.id)
        and not store.sources.is_disabled(source.id)
        for source in config.sources
    )


def _standing_faults(config: Config, store: Store) -> Exit:
    """Gives 5 while a source that is configured stays parked, though it was told about before."""
    parked = any(
        source.enabled and store.sources.is_parked(source.id) and not store.sources.is_disabled(source.id)
        for source in config.sources
    )
    return Exit.PERSON if parked else Exit.OK


def _tell_of_scorer(config: Config, store: Store, *, quiet: bool) -> None:
    """Tells on stderr that the scorer of the configuration cannot be used; where `quiet`, only when it is news."""
    from reviewdesk.desk.scoring import watch_scorer

    fault, news = watch_scorer(config, store)
    if fault and (news or not quiet):
        say(f"scorer: {fault}")


async def _round(config: Config, store: Store, only: tuple[str, ...], now: bool, trace: bool, narrator: Any) -> None:
    from reviewdesk.desk.coverage import watch
    from reviewdesk.desk.deliver import deliver
    from reviewdesk.desk.poll import poll_round

    await poll_round(config, store, only=only, now=now, trace=trace, tell=narrator)
    await deliver(config, store, only=only, tell=narrator)
    await watch(config, store, only=only, tell=narrator)
