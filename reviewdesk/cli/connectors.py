"""`reviewdesk connectors`."""

from __future__ import annotations

import asyncio

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line, say, table
from reviewdesk.cli.session import DeskCommand


@click.command(
    "connectors",
    cls=DeskCommand,
    examples=("reviewdesk connectors",),
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
def connectors_command(as_json: bool) -> int:
    """List the connectors that are installed.

    Each with what it can do and the package that brings it, or the file in the folder plugins beside the configuration;
    of a broken one, what is wrong with it (exit code 5).
    """
    from reviewdesk.desk.survey import survey

    rows, broken = [], []
    for each in asyncio.run(survey()):
        plugin, fault, able = each.plugin, each.fault, each.capabilities
        title, tier = each.title, each.tier
        if as_json:
            json_line({"name": plugin.name, "title": title, "tier": tier, "distribution": plugin.distribution,
                       "version": plugin.version, "capabilities": None if fault else able,
                       "fault": str(fault) if fault else None})  # fmt: skip
            continue
        what = [name.replace("_", " ") for name in ("hide", "like", "private_reply", "edit_reply", "delete_reply",
                                                    "find_reply", "import_file") if getattr(able, name)]  # fmt: skip
        reply = "broken" if fault else {"api": "by API", "hand_off": "by hand-off", "none": "no"}[able.reply.value]
        rows.append(
            (plugin.name, title, tier, reply, ", ".join(what), f"{plugin.distribution} {plugin.version}".rstrip())
        )
        broken += [f"{plugin.name}: {fault}"] if fault else []
    table(("NAME", "PLATFORM", "TIER", "REPLIES", "CAN ALSO", "FROM"), rows, flexible=4)
    for sentence in broken:
        say(sentence)
    return Exit.PERSON if broken else Exit.OK
