"""`reviewdesk doctor`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line, say, show
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.config import Config, SourceConfig
from reviewdesk.errors import ConfigError, Damaged
from reviewdesk.model import Finding, Level

_MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.FAULT: "✗"}


@click.command(
    "doctor",
    cls=DeskCommand,
    examples=(
        "reviewdesk doctor",
        "reviewdesk doctor --source facebook",
    ),
)
@click.option("--source", "only", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each finding.")
@click.option("--repair", is_flag=True, help="Mend what can be mended in the database.")
@pass_session
def doctor_command(session: Session, only: tuple[str, ...], as_json: bool, repair: bool) -> int:
    """Look whether all is in order, and say how to mend it.

    That is the configuration, the database, and every source: its token, permissions, limits, and what will expire.
    Exit code 5 when something must be mended.

    --repair builds a damaged search index and other indexes anew, takes away leases of polls that have died, empties
    the log beside the database, and closes its files to others; it says what it did. What people wrote is never
    changed. Of a database whose tables are damaged, it copies what can be read into a new file beside it.
    """
    from reviewdesk.cli.logs import log_to_file
    from reviewdesk.config import find

    log_to_file()
    # Of a database that is named, all can be told but its sources.
    alone = session.db_path is not None and find(session.config_path, required=False) is None
    config = session.reading if alone else session.config
    here = [_none()] if alone else _configuration(config)
    found: list[tuple[str, Finding]] = [("configuration", each) for each in here]
    of_database, off = _database(session, config, repair)
    found += [("database", each) for each in of_database]
    chosen = [config.source(id) for id in only] if only else [each for each in config.sources if each.enabled]
    found += [(source.id, _switched_off(source)) for source in chosen if source.id in off]
    found += asyncio.run(_sources(config, [source for source in chosen if source.id not in off]))
    if not only:
        from reviewdesk.desk.scoring import check_scorer

        found += [("scorer", finding) for finding in check_scorer(config)]
    # Known only now: clear-text secrets are noticed when a source's settings are read.
    found += [("configuration", Finding(level=Level.WARNING, sentence=warning)) for warning in config.warnings]
    _tell(found, as_json)
    return Exit.PERSON if any(finding.level is Level.FAULT for _, finding in found) else Exit.OK


def _configuration(config: Config) -> list[Finding]:
    """Tells of the file itself and its keys; of the sources' settings their own findings tell."""
    from reviewdesk.commands import with_keys

    try:
        with_keys(config.keys, at=lambda name: config.document.at(("keys", name)))
    except ConfigError as error:
        return [Finding(level=Level.FAULT, sentence=problem) for problem in error.problems]
    if not config.sources:
        hint = "docs/platforms tells how each begins."
        return [Finding(level=Level.WARNING, sentence=f"{config.path} names no [[source]] to listen to.", hint=hint)]
    return [_ok(f"{config.path} can be read.")]


def _ok(sentence: str) -> Finding:
    return Finding(level=Level.OK, sentence=sentence)


def _none() -> Finding:
    sentence = "There is none; the database alone was looked at."
    return Finding(level=Level.WARNING, sentence=sentence, hint="Write one with `reviewdesk init`.")


def _switched_off(source: SourceConfig) -> Finding:
    hint = f"Run: reviewdesk sources enable {source.id}"
    return Finding(level=Level.WARNING, sentence="It is switched off and was not looked at.", hint=hint)


def _database(session: Session, config: Config, repair: bool) -> tuple[list[Finding], set[str]]:
    """Gives what is to say of the database, and the sources that are switched off."""
    from reviewdesk.desk.health import examine, mend, save

    try:
        with session.store(config, begin=config.path.exists()) as store:
            done = mend(store) if repair else []
            off = {state.id for state in store.sources.states() if state.disabled}
            return [*done, *([] if any(each.level is Level.FAULT for each in done) else examine(store))], off
    except Damaged:
        if not repair:
            raise
        return save(config.database, datetime.now(UTC)), set()


async def _sources(config: Config, sources: list[SourceConfig]) -> list[tuple[str, Finding]]:
    from reviewdesk.desk.abreast import abreast
    from reviewdesk.desk.check import check

    checked = await abreast(sources, lambda source: check(config, source, clock=lambda: datetime.now(UTC)))
    return [(source.id, finding) for source, found in zip(sources, checked, strict=True) for finding in found]


def _tell(found: list[tuple[str, Finding]], as_json: bool) -> None:
    for about, finding in found:
        if as_json:
            json_line({"about": about, **{name: getattr(finding, name) for name in Finding.__struct_fields__}})
            continue
        until = f" Until {finding.expires_at:%Y-%m-%d}." if finding.expires_at else ""
        show(f"{_MARKS[finding.level]} {about}: {finding.sentence}{until} {finding.hint}".rstrip())
    levels = [finding.level for _, finding in found]
    faults = levels.count(Level.FAULT)
    if as_json:
        return
    if faults:
        say(f"{faults} {'fault' if faults == 1 else 'faults'} to mend.")
    else:
        say("No faults; what is marked ! is worth a look." if Level.WARNING in levels else "All is well.")
