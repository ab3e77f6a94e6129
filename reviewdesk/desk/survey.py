"""Looks at every connector that is there, each by itself: a broken or hanging one stops no other."""

from __future__ import annotations

from pathlib import Path

from reviewdesk.connector import Capabilities
from reviewdesk.desk.abreast import abreast
from reviewdesk.desk.apart import Task, apart
from reviewdesk.desk.border import checked_capabilities, text_of
from reviewdesk.desk.connecting import blamed
from reviewdesk.errors import PluginError, ReviewdeskError
from reviewdesk.model import Record
from reviewdesk.plugins import Plugin, connectors, folder_beside, load_connector

_LONGEST = 60.0
_SIDE_BY_SIDE = 4


class Surveyed(Record, frozen=True, kw_only=True):
    """A connector: what it says of itself, or what is wrong with it."""

    plugin: Plugin
    title: str = ""
    tier: str = ""
    capabilities: Capabilities = Capabilities()
    fault: ReviewdeskError | None = None


class Loaded(Record, frozen=True, kw_only=True):
    """What a connector says of itself."""

    title: str
    tier: str
    capabilities: Capabilities


async def survey(beside: Path | None = None, *, hang_seconds: float = 20.0) -> list[Surveyed]:
    """Loads each connector, a third party's in a process of its own, and gives them by name.

    Args:
        beside: the folder of the configuration, for its `plugins/`; None for that of `look_beside`.
        hang_seconds: for how long one may keep its process busy.
    """

    async def one(plugin: Plugin) -> Surveyed:
        try:
            apart = plugin.foreign and not (plugin.file and plugin.file.refused)
            told = await _apart(plugin, beside, hang_seconds) if apart else loaded(plugin.name, beside)
        except ReviewdeskError as fault:
            return Surveyed(plugin=plugin, fault=fault)
        return Surveyed(plugin=plugin, title=told.title, tier=told.tier, capabilities=told.capabilities)

    return await abreast(connectors(beside), one, at_once=_SIDE_BY_SIDE)


def loaded(name: str, beside: Path | None) -> Loaded:
    """Loads a connector in this process.

    Raises:
        PluginError: it cannot be loaded, or breaks the contract.
    """
    connector = load_connector(name, beside)
    with blamed(name):
        able = checked_capabilities(connector.capabilities)
        return Loaded(title=text_of(connector.title, ""), tier=connector.tier, capabilities=able)


async def _apart(plugin: Plugin, beside: Path | None, hang_seconds: float) -> Loaded:
    told: list[Loaded] = []
    task = Task(what="load", name=plugin.name, beside=str(beside or folder_beside() or ""), hang_seconds=hang_seconds)
    await apart(task, Loaded, told.append, connector=plugin.name, longest=_LONGEST)
    if not told:
        raise PluginError(f"The connector {plugin.name!r} told nothing of itself.")
    return told[0]
