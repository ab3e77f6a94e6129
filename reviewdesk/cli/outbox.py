"""`reviewdesk outbox`: replies on their way, and what only a person can decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reviewdesk.cli.output import ago, json_line, say, show, table
from reviewdesk.cli.session import DeskCommand, DeskGroup, Number, Session, pass_session
from reviewdesk.desk.guard import sentence
from reviewdesk.model import Change, DeliveryState

if TYPE_CHECKING:
    from reviewdesk.desk.respond import Respond
    from reviewdesk.store.records import Reply

_ON_THEIR_WAY = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.HELD,
    DeliveryState.REFUSED,
    DeliveryState.HANDED_OFF,
)


@click.group(
    "outbox",
    invoke_without_command=True,
    cls=DeskGroup,
    examples=(
        "reviewdesk outbox",
        "reviewdesk outbox settle 7 --not-posted",
        "reviewdesk outbox release 8",
    ),
)
@click.option("--all", "everything", is_flag=True, help="Also those that are posted or withdrawn.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@click.pass_context
def outbox_command(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """Show the replies on their way, and decide unclear ones."""
    if ctx.invoked_subcommand is not None:
        return
    session = ctx.ensure_object(Session)
    with session.store(read_only=True) as store:
        replies = store.outbox.in_states(list(DeliveryState) if everything else _ON_THEIR_WAY)
    if as_json:
        for reply in replies:
            json_line(reply)
        return
    if not replies:
        say("The outbox is empty.")
    table(
        ("REPLY", "MENTION", "STATE", "BY", "WRITTEN", "TEXT"),
        [
            (
                str(each.id),
                str(each.mention_id),
                each.state.words,
                each.agent,
                ago(each.created_at),
                each.text,
            )
            for each in replies
        ],
    )
    for each in replies:
        if each.fault:
            show(f"\nReply {each.id}: {each.fault} {each.fault_hint}".rstrip())
        if each.state is DeliveryState.HELD:
            for change in each.changes:
                show(_difference(change))


@contextmanager
def _decision(session: Session, reply: int) -> Iterator[tuple[Respond, Reply]]:
    """Opens the store, and gives what decides on a reply and the reply itself."""
    from reviewdesk.desk.respond import Respond

    config = session.reading
    with session.store(config) as store:
        yield Respond(store, config.agent, config), store.outbox.get(reply)


@outbox_command.command("withdraw", cls=DeskCommand)
@click.argument("reply", type=Number())
@pass_session
def withdraw(session: Session, reply: int) -> None:
    """Take a reply back that has not gone out.

    Its text becomes your draft again.
    """
    with _decision(session, reply) as (respond, found):
        respond.take_back(found)
    say(f"Reply {reply} is withdrawn; its text is your draft again.")


def _difference(change: Change) -> str:
    """Gives a change with both texts, each line of them behind a bar."""
    by = f" ({change.who})" if change.who else ""
    lines = [f"  {sentence(change)}{by}"]
    for title, text in (("before", change.before), ("now", change.after)):
        lines += [f"    {title} │ {line}" for line in text.split("\n")] if text else []
    return "\n".join(lines)


@outbox_command.command("release", cls=DeskCommand)
@click.argument("reply", type=Number())
@pass_session
def release(session: Session, reply: int) -> None:
    """Send a held reply all the same.

    It goes out at the next sending, unless something new happens to its thread before.
    """
    with _decision(session, reply) as (respond, found):
        respond.release(found)
    say(f"Reply {reply} will be sent.")


@outbox_command.command("confirm", cls=DeskCommand)
@click.argument("reply", type=Number())
@pass_session
def confirm(session: Session, reply: int) -> None:
    """Say that you posted a handed-off reply by hand."""
    with _decision(session, reply) as (respond, found):
        respond.confirm_hand_off(found)
    say(f"Reply {reply} counts as posted.")


@outbox_command.command("settle", cls=DeskCommand)
@click.argument("reply", type=Number())
@click.option("--posted/--not-posted", "posted", default=None, help="What you saw on the platform.")
@pass_session
def settle(session: Session, reply: int, posted: bool | None) -> None:
    """Say whether an unclear reply stands on its platform.

    One that does not goes out again.
    """
    if posted is None:
        raise click.UsageError("Say what you saw on the platform: --posted or --not-posted.")
    with _decision(session, reply) as (respond, found):
        respond.settle(found, posted)
    say(f"Reply {reply} {'counts as posted' if posted else 'will be sent again'}.")
