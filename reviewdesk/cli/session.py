"""What every command needs: the options that stand everywhere, the configuration, the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reviewdesk.errors import ConfigError, NotAllowed, PluginError, StoreError

if TYPE_CHECKING:
    from reviewdesk.config import Config, SourceConfig
    from reviewdesk.store.db import Store
    from reviewdesk.typed_toml import Document


_DIGITS_MOST = 40
"""Longer ones are no numbers of anything, and Python refuses thousands of digits."""


class Session:
    """One call of the command line: where the configuration and the database are, opened when asked for.

    Args:
        config, db: as given by the options; None looks at the environment and the usual places.
    """

    def __init__(self, config: str | None = None, db: str | None = None) -> None:
        self.config_path = _path("--config", config)
        self.db_path = _path("--db", db)

    @property
    def config_path(self) -> Path | None:
        """The configuration file that was named; its folder `plugins` holds plugins."""
        return self._config_path

    @config_path.setter
    def config_path(self, path: Path | None) -> None:
        from reviewdesk.plugins import look_beside

        self._config_path = path
        look_beside(path)

    @cached_property
    def config(self) -> Config:
        """The configuration.

        Raises:
            ConfigError: there is none, or it has mistakes.
        """
        from reviewdesk.config import load

        return load(self.config_path, db=self.db_path, also=_mistakes_above)

    @cached_property
    def reading(self) -> Config:
        """The configuration for commands that only look at or change the database.

        Where a database is named and no configuration is, the defaults do.
        """
        from reviewdesk.config import load

        return load(self.config_path, db=self.db_path, optional=True)

    def store(self, config: Config | None = None, *, read_only: bool = False, begin: bool = False) -> Store:
        """Opens the database; one of an earlier version is brought up to date, whatever it is opened for.

        Args:
            begin: makes it where there is none. Other commands would else take a mistyped `--db` for an empty desk.

        Raises:
            StoreError: it cannot be opened.
        """
        from reviewdesk.store.db import Store

        path = (config or self.reading).database
        store = Store(path, read_only=read_only, begin=begin)
        if not read_only:
            return store
        try:
            store.expect_not_newer()
            if not store.is_behind:
                return store
        except StoreError:
            store.close()
            raise
        store.close()
        Store(path).close()
        return Store(path, read_only=True)


class Number(click.ParamType[int]):
    """The number of a mention or reply."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Gives a number that the database could have."""
        text = str(value)
        if text.isdecimal() and len(text) < _DIGITS_MOST and 0 < int(text) < 2**63:
            return int(text)
        self.fail(f"{text[:_DIGITS_MOST]!r} is no such number; lists show them in their first column.", param, ctx)


def _mistakes_above(
    sources: Sequence[SourceConfig], keys: Mapping[str, Sequence[str]], document: Document
) -> list[str]:
    """Gives the mistakes in a configuration that only the connectors and the window's commands can see."""
    from reviewdesk.commands import with_keys
    from reviewdesk.plugins import load_source

    found: list[str] = []
    for source in sources:
        try:
            load_source(source)
        except ConfigError as error:
            found += error.problems
        except PluginError as error:
            found.append(f"{source.at}: {error.sentence}")
    try:
        with_keys(keys, at=lambda name: document.at(("keys", name)))
    except ConfigError as error:
        found += error.problems
    return found


def _path(option: str, value: str | None) -> Path | None:
    """Gives the file that an option names; a variable of a script's that is not set must not mean another database."""
    if value is not None and not value.strip():
        raise click.UsageError(f"{option} is empty. Name a file, or leave it out.")
    return None if value is None else Path(value)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        session = ctx.find_object(Session)
        if session is not None and value is not None:
            setattr(session, name, _path(param.opts[0], value))

    return keep


class DeskCommand(click.Command):
    """A command that takes `--config` and `--db`, before or after its name.

    Args:
        examples: lines for a shell, shown below the options.
        either: pairs of its options and arguments, as they are written, of which only one can be given.
    """

    def __init__(
        self, *args: Any, examples: Sequence[str] = (), either: Sequence[tuple[str, str]] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.either = tuple(either)
        for option, name, what in (
            ("--config", "config_path", "The configuration."),
            ("--db", "db_path", "The database."),
        ):
            self.params.append(
                click.Option([option], metavar="FILE", help=what, expose_value=False, callback=_keep(name))
            )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the command's words.

        Raises:
            click.UsageError: they are wrong.
            NotAllowed: they hold bytes that are no UTF-8 where no file is named.
        """
        rest = super().parse_args(ctx, args)
        given = {
            name
            for param in self.params
            if ctx.params.get(param.name or "")
            for name in (*param.opts, param.human_readable_name.strip("[]"))
        }
        for one, other in self.either:
            if one in given and other in given:
                raise click.UsageError(f"{one} and {other} exclude each other; give one of them.", ctx)
        for param in self.params:
            value = ctx.params.get(param.name or "")
            for word in value if isinstance(value, tuple) else (value,):
                if isinstance(word, str) and any("\ud800" <= char <= "\udfff" for char in word):
                    is_argument = isinstance(param, click.Argument)
                    what = param.human_readable_name.strip("[]") if is_argument else param.opts[-1]
                    raise NotAllowed(f"{what} is not in UTF-8.", hint="Send it as UTF-8; nothing was done.")
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class DeskGroup(DeskCommand, click.Group):
    """A group of commands that all take `--config` and `--db`."""

    command_class = DeskCommand


pass_session = click.make_pass_decorator(Session)
