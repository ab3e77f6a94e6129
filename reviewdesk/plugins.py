"""Connectors and emulators: in installed packages, and in single files of a folder `plugins/` beside the configuration.

They are listed without importing, and loaded one at a time. A plugin is foreign code. Whatever it does while it is
imported, and whatever part of the contract it does not keep, becomes a `PluginError` that names it; the others are not
touched. Neither this module nor a listing imports `reviewdesk.connector`, which brings the HTTP library along.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reviewdesk.config import SourceConfig, check_settings, find
from reviewdesk.errors import ConfigError, PluginError
from reviewdesk.model import Record
from reviewdesk.plugin_files import PluginFile, files_beside
from reviewdesk.secrets import redact
from reviewdesk.text import cut, one_line
from reviewdesk.typed_toml import suggestion

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from reviewdesk.connector import Connector, Settings
    from reviewdesk.scorer import Scorer

CONNECTORS = "reviewdesk.connectors"
EMULATORS = "reviewdesk.emulators"
SCORERS = "reviewdesk.scorers"
TIERS = ("bronze", "silver", "gold", "platinum")
"""What a connector may claim to have earned, lowest first."""
_BASES = {
    CONNECTORS: "reviewdesk.connector.Connector",
    EMULATORS: "reviewdesk.sandbox.emulator.Emulator",
    SCORERS: "reviewdesk.scorer.Scorer",
}
log = logging.getLogger(__name__)


class Plugin(Record, frozen=True, kw_only=True):
    """An entry in an entry point group, or a file in the plugins folder.

    Attributes:
        name: as in `connector = "heureka"`.
        target: what is imported: `package.module:Class`, or the path of the file.
        distribution, version: the installed package that brings it; of a file its name in its folder.
        group: `reviewdesk.connectors`, `reviewdesk.emulators` or `reviewdesk.scorers`.
        file: the file; None for what a package brings.
    """

    name: str
    target: str
    distribution: str
    version: str
    group: str = CONNECTORS
    file: PluginFile | None = None

    @property
    def foreign(self) -> bool:
        """False for what comes in the box with the desk itself."""
        return self.file is not None or self.distribution != "reviewdesk"

    def __str__(self) -> str:
        return one_line(f'"{self.name}" of {self.distribution} {self.version}')


def connectors(beside: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> list[Plugin]:
    """Gives the connectors by name, without importing any.

    `REVIEWDESK_PLUGINS`, a list of names with commas between them, leaves only those; empty it leaves none.

    Args:
        beside: the folder of the configuration, whose `plugins/` is looked into; None for that of `look_beside`.
    """
    return _listed(CONNECTORS, beside, environ)


def emulators(beside: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> list[Plugin]:
    """Gives the emulators as `connectors` does; imports none of them."""
    return _listed(EMULATORS, beside, environ)


def load_connector(name: str, beside: Path | None = None) -> type[Connector[Any]]:
    """Imports one connector and checks that it keeps the contract of `reviewdesk.connector`.

    Raises:
        PluginError: there is none of this name or several, it fails while being imported, or it breaks the contract.
    """
    return load(_the_one(connectors(beside), name, "connector", beside))


def load_emulator(name: str, beside: Path | None = None) -> type[Any]:
    """Imports one emulator, a subclass of `reviewdesk.sandbox.Emulator`.

    Raises:
        PluginError: as `load_connector`.
    """
    plugin = _the_one(emulators(beside), name, "emulator", beside)
    target = _import(plugin)
    missing = [part for part in ("platform", "routes", "source", "write", "shop_replies") if not hasattr(target, part)]
    if not isinstance(target, type) or missing:
        raise _broken(plugin, ["it is no subclass of reviewdesk.sandbox.Emulator"])
    return target


def load_scorer(name: str, beside: Path | None = None) -> type[Scorer[Any]]:
    """Imports one scorer, a subclass of `reviewdesk.scorer.Scorer`.

    Raises:
        PluginError: there is none of this name or several, it fails while being imported, or it breaks the contract.
    """
    from reviewdesk.scorer import SDK_VERSION, Scorer

    plugin = _the_one(_listed(SCORERS, beside, os.environ), name, "scorer", beside)
    target = _import(plugin)
    if not isinstance(target, type) or not issubclass(target, Scorer):
        raise _broken(plugin, ["it is no subclass of reviewdesk.scorer.Scorer"])
    faults = list(_settings_breaches(getattr(target, "settings", None)))
    if target.sdk != SDK_VERSION:
        faults.append(f"it is written for version {target.sdk!r} of the SDK, and this is version {SDK_VERSION}")
    if target.score is Scorer.score:
        faults.append("`score` is missing")
    if faults:
        raise _broken(plugin, faults)
    return target


def load_source(source: SourceConfig) -> tuple[type[Connector[Any]], Settings]:
    """Gives a source's connector and its checked settings.

    Raises:
        ConfigError: no connector has the name, or the settings have mistakes; with their lines.
        PluginError: the connector cannot be loaded.
    """
    listed = connectors(source.document.beside)
    known = sorted({plugin.name for plugin in listed})
    if source.connector not in known:
        place = f'{source.document.at(("source", source.position, "connector"))}: [[source]] "{source.id}"'
        problem = f'{place}, key "connector": no connector is named "{cut(source.connector, 60)}"'
        raise ConfigError(
            f'The source "{source.id}" has no connector:',
            problems=[f"{problem}; {_suggested(source.connector, known, 'connector', source.document.beside)}"],
        )
    connector = load(_the_one(listed, source.connector, "connector", source.document.beside))
    return connector, check_settings(source, connector.settings)


def foreign_among(sources: Sequence[SourceConfig]) -> frozenset[str]:
    """Gives the ids of those sources whose connector is a third party's, which runs in a process of its own.

    Imports none, and lists what is installed once.
    """
    listed = {folder: connectors(folder) for folder in {source.document.beside for source in sources}}
    return frozenset(
        source.id
        for source in sources
        if any(plugin.foreign and plugin.name == source.connector for plugin in listed[source.document.beside])
    )


_config: Path | None = None


def look_beside(config: Path | None) -> None:
    """Takes plugins from the folder `plugins` beside this configuration file, where nothing else is said.

    Args:
        config: None for the file in the usual places, which is where they are taken from without a call.
    """
    global _config
    _config = config


def folder_beside(*, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Gives the folder of the configuration that `look_beside` named; None where there is no such file."""
    try:
        config = find(_config, environ, required=False)
    except ConfigError:
        return None
    return config.parent if config else None


def _listed(group: str, beside: Path | None, environ: Mapping[str, str]) -> list[Plugin]:
    listed = environ.get("REVIEWDESK_PLUGINS")
    allowed = None if listed is None else {name.strip() for name in listed.split(",")}
    found = {*_packaged(group), *_in_files(group, beside or folder_beside(environ=environ))}
    plugins = [plugin for plugin in found if allowed is None or plugin.name in allowed]
    return sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution))


def _packaged(group: str) -> Iterator[Plugin]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        yield Plugin(
            name=entry.name,
            target=entry.value,
            distribution=entry.dist.name if entry.dist else "an unknown package",
            version=entry.dist.version if entry.dist else "",
            group=group,
        )


def _in_files(group: str, beside: Path | None) -> Iterator[Plugin]:
    for file in files_beside(beside) if beside is not None else ():
        if file.derives(_BASES[group].rpartition(".")[2]) or (group == CONNECTORS and not file.is_readable):
            yield Plugin(
                name=file.name, target=str(file.path), distribution=file.shown, version="", group=group, file=file
            )


def _the_one(plugins: list[Plugin], name: str, kind: str, beside: Path | None) -> Plugin:
    matching = [plugin for plugin in plugins if plugin.name == name]
    if len(matching) == 1:
        return matching[0]
    if matching:
        rivals = " and ".join(str(plugin) for plugin in matching)
        raise PluginError(f"Several plugins bring a {kind} of one name: {rivals}.", hint="Keep one of them.")
    hint = _suggested(name, {plugin.name for plugin in plugins}, kind, beside)
    stop = "" if hint.endswith("?") else "."
    raise PluginError(f'There is no {kind} "{cut(name, 60)}".', hint=f"{hint[:1].upper()}{hint[1:]}{stop}")


def _suggested(name: str, known: Collection[str], kind: str, beside: Path | None) -> str:
    """Says why the file of this name is none, or which other name may be meant."""
    folder, base = beside or folder_beside(), kind.capitalize()
    for file in files_beside(folder) if folder else ():
        if file.name == name and file.is_readable and not file.derives(base):
            return f"the file {file.shown} is there, and no class in it derives from {base}"
    return suggestion(name, known)


def load(plugin: Plugin) -> type[Connector[Any]]:
    """Imports a connector that was listed. Errors as in `load_connector`."""
    target = _import(plugin)
    if faults := list(_breaches(target)):
        raise _broken(plugin, faults)
    connector: type[Connector[Any]] = target
    return connector


def _import(plugin: Plugin) -> Any:
    if plugin.file and plugin.file.refused:
        raise PluginError(
            f"The plugin {plugin} was not read: {plugin.file.refused}.", hint=plugin.file.hint or "Mend the file."
        )
    try:
        with _contained(plugin):
            return _from_file(plugin, plugin.file) if plugin.file else _entry_point(plugin).load()
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginError(
            f"The plugin {plugin} cannot be loaded: {_last_line(error, plugin).rstrip('.')}.",
            hint="Update or remove it, or tell its author; the other plugins go on.",
        ) from error


def _entry_point(plugin: Plugin) -> EntryPoint:
    from importlib.metadata import EntryPoint

    return EntryPoint(plugin.name, plugin.target, plugin.group)


def _from_file(plugin: Plugin, file: PluginFile) -> Any:
    """Gives the one connector or emulator that a file defines; what others in it are built on does not count."""
    module = file.module()
    wanted = _BASES[plugin.group]
    own = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and each.__module__ == module.__name__
        and any(f"{base.__module__}.{base.__qualname__}" == wanted for base in each.__mro__)
    ]
    leaves = {each for each in own if not any(each is not other and issubclass(other, each) for other in own)}
    if len(leaves) == 1:
        return leaves.pop()
    names = ", ".join(sorted(each.__name__ for each in leaves))
    what = f"it holds several: {names}" if leaves else "it holds none"
    raise _broken(plugin, [f"one file brings one subclass of {wanted}, and {what}"])


@contextmanager
def _contained(plugin: Plugin) -> Iterator[None]:
    """Keeps what a plugin prints on import off standard output, which is data, and its hands off `sys.path`."""
    path, printed = list(sys.path), StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        sys.path[:] = path
        if printed.getvalue():
            log.warning("The plugin %s printed while being imported: %s", plugin, cut(printed.getvalue(), 200))


def _last_line(error: BaseException, plugin: Plugin) -> str:
    """Gives the error in one line, with the place in the plugin's own package where it arose."""
    said = cut(redact(one_line(traceback.format_exception_only(error)[-1])), 300)
    package = plugin.file.module_name if plugin.file else plugin.target.partition(":")[0].partition(".")[0]
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 0))
    if not frames:
        return said
    file, line = frames[-1]
    return f"{said} ({os.path.join(os.path.basename(os.path.dirname(file)), os.path.basename(file))}, line {line})"


def _broken(plugin: Plugin, faults: list[str]) -> PluginError:
    return PluginError(
        f"The plugin {plugin} does not keep the contract: {'; '.join(faults)}.",
        hint="Update or remove it, or tell its author; the other plugins go on.",
    )


def _breaches(target: Any) -> Iterator[str]:
    """Gives what a target lacks of a connector, a clause for each."""
    from inspect import iscoroutinefunction

    from reviewdesk.connector import SDK_VERSION, Capabilities, Connector, ReplyMode

    if not isinstance(target, type) or not issubclass(target, Connector):
        yield "it is no subclass of reviewdesk.connector.Connector"
        return
    sdk: Any = target.sdk
    if sdk != SDK_VERSION:
        yield f"it is written for version {sdk!r} of the SDK, and this is version {SDK_VERSION}"
    platform: Any = getattr(target, "platform", None)
    if not isinstance(platform, str) or not platform or platform != platform.lower():
        yield "`platform` must be the platform's id in lower case"
    if target.tier not in ("", *TIERS):
        yield f"`tier` is one of {', '.join(TIERS)}"
    yield from _settings_breaches(getattr(target, "settings", None))
    if target.poll is Connector.poll:
        yield "`poll` is missing"
    elif iscoroutinefunction(target.poll):
        yield "`poll` is a coroutine; it must yield batches, as an asynchronous generator does"
    can: Any = target.capabilities
    if not isinstance(can, Capabilities):
        yield "`capabilities` must be a Capabilities record"
        return
    promised = {
        "reply": can.reply is ReplyMode.API,
        **{
            name: getattr(can, name)
            for name in ("find_reply", "edit_reply", "delete_reply", "hide", "like", "private_reply", "import_file")
        },
    }
    for name, promise in promised.items():
        if promise and getattr(target, name) is getattr(Connector, name):
            yield f"the capabilities promise `{name}`, and the method is missing"


def _settings_breaches(settings: Any) -> Iterator[str]:
    import msgspec

    if not isinstance(settings, type) or not issubclass(settings, msgspec.Struct):
        yield "`settings` must be a subclass of reviewdesk.connector.Settings"
        return
    try:
        msgspec.structs.fields(settings)
    except Exception as error:
        yield f"the types of `settings` cannot be told ({cut(one_line(str(error)), 120)})"
