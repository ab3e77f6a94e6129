"""`reviewdesk connector`: hold a connector to the rules, or begin a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line, say, show
from reviewdesk.cli.session import DeskGroup

if TYPE_CHECKING:
    from reviewdesk.testing import Report, Verdict


@click.group(
    "connector",
    cls=DeskGroup,
    examples=("reviewdesk connector new mycrawler", "reviewdesk connector test mycrawler"),
)
def connector_command() -> None:
    """Hold a connector to the rules, or begin a new one."""


@connector_command.command(
    "test",
    examples=("reviewdesk connector test heureka", "reviewdesk connector test heureka --rule poisonous-item"),
)
@click.argument("name")
@click.option("--rule", "only", metavar="RULE", help="Try this rule alone.")
@click.option(
    "--items",
    type=click.IntRange(1),
    default=100_000,
    metavar="N",
    show_default=True,
    help="How many items the largest platform holds.",
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each rule.")
def test_command(name: str, only: str | None, items: int, as_json: bool) -> int:
    """Try a connector, rule by rule.

    It runs against its emulator, and nothing is waited for. Tells the tier that it has earned, and what is missing for
    the next one (exit code 5).
    """
    from reviewdesk.errors import NotAllowed
    from reviewdesk.plugins import load_connector, load_emulator
    from reviewdesk.testing import RULES, Report, Tier, judge, verdicts

    connector, emulator = load_connector(name), load_emulator(name)
    if only:
        if only not in RULES:
            raise NotAllowed(f"There is no rule {only!r}.", hint=f"The rules are: {', '.join(RULES)}.")
        verdict = judge(connector, emulator, RULES[only], items=items)
        if as_json:
            _json_line(verdict)
        else:
            show(f"{verdict.outcome}  {only}{_note(verdict)}" if verdict.outcome.stands else str(verdict))
        return Exit.OK if verdict.outcome.stands else Exit.PERSON
    found = []
    tier = None
    for verdict in verdicts(connector, emulator, items=items):
        found.append(verdict)
        if as_json:
            _json_line(verdict)
            continue
        if verdict.rule.tier is not tier:
            tier = verdict.rule.tier
            show(f"{tier.upper()}: {tier.promise}")
        show(f"  {verdict.outcome:<9} {verdict.rule.id}{_note(verdict)}")
    report = Report(verdicts=found)
    if not as_json:
        _tell(name, report)
    earned = report.tier.rank if report.tier else -1
    if connector.tier and Tier(connector.tier).rank > earned:
        say(f"\nIt says of itself that it has earned {connector.tier}, which is more than it keeps.")
    return Exit.OK if report.tier is Tier.PLATINUM else Exit.PERSON


def _checked(_: click.Context, __: click.Parameter, name: str) -> str:
    """Gives the name of a platform before anything is asked for it."""
    from reviewdesk.testing.begin import check_name

    return check_name(name)


def _json_line(verdict: Verdict) -> None:
    rule = verdict.rule
    json_line({"rule": rule.id, "tier": rule.tier, "outcome": verdict.outcome, "said": verdict.said})


def _note(verdict: Verdict) -> str:
    return f"  ({verdict.said})" if verdict.said and verdict.outcome.stands else ""


def _tell(name: str, report: Report) -> None:
    show(f"\n{name}: {report.tier or 'no tier yet'}")
    if report.missing:
        say(f"Missing for {report.missing[0].rule.tier}:")
    for verdict in report.missing:
        say(f"\n{verdict}")


@connector_command.command(
    "new",
    examples=(
        "reviewdesk connector new mycrawler",
        "reviewdesk connector new mycrawler --data xml --login header",
    ),
)
@click.argument("name", callback=_checked)
@click.option(
    "--data",
    type=click.Choice(["json", "xml"]),
    prompt="What does it answer in",
    default="json",
    help="What it answers in.",
)
@click.option(
    "--login",
    type=click.Choice(["none", "bearer", "header", "basic"]),
    prompt="How does it want to know who asks",
    default="bearer",
    help="How it wants to know who asks.",
)
@click.option(
    "--paging",
    type=click.Choice(["none", "link", "cursor", "page"]),
    prompt="How do its lists go on",
    default="link",
    help="How its lists go on.",
)
@click.option("--reply/--no-reply", prompt="Does it take replies", default=False, help="Whether it takes replies.")
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path(), help="The folder to write into; else this one."
)
def new_command(
    name: str,
    data: Literal["json", "xml"],
    login: Literal["none", "bearer", "header", "basic"],
    paging: Literal["none", "link", "cursor", "page"],
    reply: bool,
    into: Path,
) -> None:
    """Write a package to begin with.

    It installs and passes its tests as it stands: change it into your platform. What no option tells is asked for.
    """
    from reviewdesk.testing.begin import Plan, begin

    plan = Plan(name=name, data=data, login=login, paging=paging, reply=reply)
    for path in begin(plan, into):
        show(str(path))
    folder = into / plan.distribution
    say(f"Next: pip install -e '{folder}[test]'; pytest {folder}; reviewdesk connector test {name}")
