"""Connectors and emulators among the installed packages: listed without importing, loaded one at a time.

A plugin is foreign code. Whatever it does while it is imported, and whatever part of the contract it does not keep,
becomes a `PluginError` that names it; the others are not touched. Neither this module nor a listing imports
`reviewdesk.connector`, which brings the HTTP library along.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reviewdesk.config import SourceConfig, check_settings, find
from reviewdesk.errors import ConfigError, PluginError
from reviewdesk.model import Record
from reviewdesk.secrets import redact
from reviewdesk.text import cut, one_line
from reviewdesk.typed_toml import suggestion

if TYPE_CHECKING:
    from reviewdesk.connector import Connector, Settings

CONNECTORS = "reviewdesk.connectors"
EMULATORS = "reviewdesk.emulators"
TIERS = ("bronze", "silver", "gold", "platinum")
"""What a connector may claim to have earned, lowest first."""
_MODULE = "reviewdesk_plugin_"
log = logging.getLogger(__name__)


class Plugin(Record, frozen=True, kw_only=True):
    """An entry in an entry point group.

    Attributes:
        name: as in `connector = "heureka"`.
        target: what is imported: `package.module:Class`.
        distribution, version: the installed package that brings it.
        group: `reviewdesk.connectors` or `reviewdesk.emulators`.
        file: for a single file in the folder `plugins` beside the configuration; "" for an installed package.
    """

    name: str
    target: str
    distribution: str
    version: str
    group: str = CONNECTORS
    file: str = ""

    def __str__(self) -> str:
        return f'"{self.name}" of {self.distribution} {self.version}'.rstrip()


def connectors(*, environ: Mapping[str, str] = os.environ) -> list[Plugin]:
    """Gives the installed connectors by name, without importing any.

    `REVIEWDESK_PLUGINS`, a list of names with commas between them, leaves only those; empty it leaves none.
    """
    return _listed(CONNECTORS, environ)


def emulators(*, environ: Mapping[str, str] = os.environ) -> list[Plugin]:
    """Gives the installed emulators as `connectors` does."""
    return _listed(EMULATORS, environ)


def load_connector(name: str) -> type[Connector[Any]]:
    """Imports one connector and checks that it keeps the contract of `reviewdesk.connector`.

    Raises:
        PluginError: there is none of this name or several, it fails while being imported, or it breaks the contract.
    """
    return _load_connector(_the_one(connectors(), name, "connector"))


def load_emulator(name: str) -> type[Any]:
    """Imports one emulator, a subclass of `reviewdesk.sandbox.Emulator`.

    Raises:
        PluginError: as `load_connector`.
    """
    plugin = _the_one(emulators(), name, "emulator")
    target = _import(plugin)
    missing = [part for part in ("platform", "routes", "source", "write", "shop_replies") if not hasattr(target, part)]
    if not isinstance(target, type) or missing:
        raise _broken(plugin, ["it is no subclass of reviewdesk.sandbox.Emulator"])
    return target


def load_source(source: SourceConfig) -> tuple[type[Connector[Any]], Settings]:
    """Gives a source's connector and its checked settings.

    Raises:
        ConfigError: no installed connector has the name, or the settings have mistakes; with their lines.
        PluginError: the connector cannot be loaded.
    """
    known = sorted({plugin.name for plugin in connectors()})
    if source.connector not in known:
        place = f'{source.document.at(("source", source.position, "connector"))}: [[source]] "{source.id}"'
        problem = f'{place}, key "connector": no connector is named "{cut(source.connector, 60)}"'
        raise ConfigError(
            f'The source "{source.id}" has no connector:',
            problems=[f"{problem}; {suggestion(source.connector, known)}"],
        )
    connector = load_connector(source.connector)
    return connector, check_settings(source, connector.settings)


def survey() -> list[tuple[Plugin, PluginError | None]]:
    """Loads every installed connector, each by itself, and gives what is wrong with it, None where nothing is."""
    found = connectors()
    return [(plugin, _fault(plugin, found)) for plugin in found]


def _fault(plugin: Plugin, found: list[Plugin]) -> PluginError | None:
    try:
        _load_connector(_the_one(found, plugin.name, "connector"))
    except PluginError as fault:
        return fault
    return None


def _listed(group: str, environ: Mapping[str, str]) -> list[Plugin]:
    from importlib.metadata import entry_points

    listed = environ.get("REVIEWDESK_PLUGINS")
    allowed = None if listed is None else {name.strip() for name in listed.split(",")}
    plugins = {
        Plugin(
            name=entry.name,
            target=entry.value,
            distribution=entry.dist.name if entry.dist else "an unknown package",
            version=entry.dist.version if entry.dist else "",
            group=group,
        )
        for entry in entry_points(group=group)
        if allowed is None or entry.name in allowed
    }
    plugins.update(each for each in _in_folder(group, environ) if allowed is None or each.name in allowed)
    return sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution))


_config: Path | None = None


def look_beside(config: Path | None) -> None:
    """Takes plugins from the folder `plugins` beside this configuration file.

    Args:
        config: None for the file in the usual places, which is where they are taken from without a call.
    """
    global _config
    _config = config


def _in_folder(group: str, environ: Mapping[str, str]) -> Iterator[Plugin]:
    """Gives the single files that hold a connector or an emulator, by their names, without running them."""
    try:
        config = find(_config, environ, required=False)
    except ConfigError:
        return
    folder = config.parent / "plugins" if config else None
    if folder is None or not folder.is_dir():
        return
    base = "Connector" if group == CONNECTORS else "Emulator"
    for path in sorted(folder.glob("[!_]*.py")):
        for name in _classes(path, base)[:1]:
            target = f"{_MODULE}{path.stem}:{name}"
            yield Plugin(
                name=path.stem,
                target=target,
                distribution=f"plugins/{path.name}",
                version="",
                group=group,
                file=str(path),
            )


def _classes(path: Path, base: str) -> list[str]:
    """Gives the classes of a file that derive from `base`; a file that cannot be read counts as a broken connector."""
    import ast

    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ["Connector"] if base == "Connector" else []
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [each.value if isinstance(each, ast.Subscript) else each for each in node.bases]
            if any(base in (getattr(each, "id", ""), getattr(each, "attr", "")) for each in bases):
                found.append(node.name)
    return found


def _the_one(plugins: list[Plugin], name: str, kind: str) -> Plugin:
    matching = [plugin for plugin in plugins if plugin.name == name]
    if len(matching) == 1:
        return matching[0]
    if matching:
        rivals = " and ".join(str(plugin) for plugin in matching)
        raise PluginError(f"Several packages bring a {kind} of one name: {rivals}.", hint="Uninstall all but one.")
    hint = suggestion(name, {plugin.name for plugin in plugins})
    raise PluginError(f'There is no {kind} "{cut(name, 60)}".', hint=hint[:1].upper() + hint[1:])


def _load_connector(plugin: Plugin) -> type[Connector[Any]]:
    target = _import(plugin)
    if faults := list(_breaches(target)):
        raise _broken(plugin, faults)
    connector: type[Connector[Any]] = target
    return connector


def _import(plugin: Plugin) -> Any:
    from importlib.metadata import EntryPoint

    entry = EntryPoint(plugin.name, plugin.target, plugin.group)
    try:
        with _contained(plugin):
            if plugin.file:
                _run(plugin)
            return entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"The plugin {plugin} cannot be loaded: {_last_line(error, plugin)}",
            hint="Update or uninstall it, or tell its author; the other plugins go on.",
        ) from error


def _run(plugin: Plugin) -> None:
    """Makes a module of a single file, unless it is one already."""
    from importlib.util import module_from_spec, spec_from_file_location

    name = plugin.target.partition(":")[0]
    if getattr(sys.modules.get(name), "__file__", None) == plugin.file:
        return
    spec = spec_from_file_location(name, plugin.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{plugin.file} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


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
    package = plugin.target.partition(":")[0].partition(".")[0]
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
        hint="Update or uninstall it, or tell its author; the other plugins go on.",
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
