"""`reviewdesk import`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.config import Config, SourceConfig
from reviewdesk.errors import ConfigError


@click.command(
    "import",
    cls=DeskCommand,
    examples=(
        "reviewdesk import heureka eshop-reviews.xml",
        "reviewdesk import facebook comments.json --set page_id=104236",
        'reviewdesk import feed reviews.csv --set \'fields={id="Id", text="Review"}\'',
    ),
)
@click.argument("connector")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--source", metavar="ID", help="The source it belongs to; else the only one of this connector, or a new one."
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the source for this import, over the configured one; may be repeated.",
)
@pass_session
def import_command(session: Session, connector: str, file: Path, source: str | None, given: tuple[str, ...]) -> int:
    """Take in a saved export or API answer.

    The same file again changes nothing. What cannot be read is set aside with the reason, and the exit code is 5;
    `reviewdesk quarantine` shows it.

    --set takes a text, or what TOML writes as a list, a table, true or false. It counts for this import alone, and
    before what the configuration says of the source; a list or table replaces the configured one as a whole.
    """
    from reviewdesk.cli.logs import log_to_file
    from reviewdesk.desk.importing import import_file

    log_to_file()
    config = session.reading
    chosen = _source(config, connector, source, given)
    with session.store(config, begin=True) as store, _settings_from_options(config, chosen):
        done = asyncio.run(import_file(config, store, chosen, file)).brought
    say(
        f"{chosen.id}: {done.new:,} new, {done.changed:,} changed, {done.same:,} known already, "
        f"{done.set_aside:,} set aside."
    )
    if not done.set_aside:
        return Exit.OK
    say(f"`reviewdesk quarantine list --source {chosen.id}` shows what could not be read, and why.")
    return Exit.PERSON


@contextmanager
def _settings_from_options(config: Config, source: SourceConfig) -> Iterator[None]:
    """Tells of settings that are given here how to give them, since they stand in no file."""
    try:
        yield
    except ConfigError as error:
        if source in config.sources:
            raise
        configured = next((each for each in config.sources if each.id == source.id), None)
        hint = "Give them with --set KEY=VALUE, or configure the source in reviewdesk.toml."
        if configured is not None:
            others = [key for key, value in source.settings.items() if configured.settings.get(key) != value]
            given = [key for key in others if any(f'"{key}' in problem for problem in error.problems)]
            hint = f"Given with --set and not in the configuration: {', '.join(given)}." if given else error.hint
        raise ConfigError(error.sentence, problems=error.problems, hint=hint) from None


def _setting(key: str, value: str) -> Any:
    """Gives a list, a table, true or false as TOML writes them; anything else is a text, a number that is an id too."""
    if value[:1] not in ("[", "{") and value not in ("true", "false"):
        return value
    import tomllib

    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"--set {key}: {value!r} is not readable as TOML: {error}.") from None


def _source(config: Config, connector: str, id: str | None, given: tuple[str, ...]) -> SourceConfig:
    from reviewdesk.plugins import connectors
    from reviewdesk.typed_toml import suggestion

    settings: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, not {pair!r}.")
        settings[key] = _setting(key, value)
    known = [each for each in config.sources if each.connector == connector and id in (None, each.id)]
    if id is not None and not known and any(each.id == id for each in config.sources):
        raise click.UsageError(f"The source {id!r} is of another connector than {connector!r}.")
    if len(known) > 1:
        names = ", ".join(each.id for each in known)
        raise click.UsageError(f"Several sources are of {connector!r}: {names}. Choose one with --source.")
    if known:
        (source,) = known
        return msgspec.structs.replace(source, settings={**source.settings, **settings}) if settings else source
    there = sorted({plugin.name for plugin in connectors(config.document.beside)})
    if connector not in there:
        raise click.UsageError(f"No connector is named {connector!r}; {suggestion(connector, there)}")
    return SourceConfig(id=id or connector, connector=connector, settings=settings, document=config.document)
