"""`reviewdesk show`."""

from __future__ import annotations

import click

from reviewdesk.cli.output import ago, json_line, show
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.store.records import Conversation, Stored


@click.command(
    "show",
    cls=DeskCommand,
    examples=(
        "reviewdesk show 42",
        "reviewdesk show 42 --json",
    ),
    either=[("--json", "--raw")],
)
@click.argument("id", type=Number())
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--raw", is_flag=True, help="The payload as the platform sent it, without secrets.")
@pass_session
def show_command(session: Session, id: int, as_json: bool, raw: bool) -> None:
    """Show one mention with its conversation and the reasons.

    Also earlier texts, replies, notes, tags, and what else the same customer wrote.
    """
    with session.store(read_only=True) as store:
        conversation = store.mentions.conversation(id)
        if raw:
            json_line(store.mentions.raw(id))
            return
    if as_json:
        json_line(conversation)
    else:
        _print(conversation)


def _print(conversation: Conversation) -> None:
    focus = conversation.focus
    show(f"#{focus.id}  {focus.source} ({focus.connector})  {focus.status.value}  {focus.mention.url}".rstrip())
    for stored in conversation.thread:
        _print_text(stored, is_focus=stored.id == focus.id)
    _print_assessment(focus)
    for reply in conversation.replies:
        show(f"\nReply {reply.id} by {reply.agent}, {reply.state.words}, {ago(reply.created_at)}:")
        _print_block(reply.text)
        if reply.fault:
            show(f"  {reply.fault} {reply.fault_hint}".rstrip())
    for writer in conversation.writers:
        if writer.until:
            show(f"\n{writer.agent} is writing a reply; began {ago(writer.since)}.")
        else:
            show(f"\n{writer.agent} has a draft of a reply, last changed {ago(writer.since)}.")
    for version in conversation.versions:
        show(f"\nEarlier text, seen {ago(version.seen_at)}:")
        _print_block(version.text or version.title)
    for note in conversation.notes:
        show(f"\nNote by {note.agent}, {ago(note.at)}:")
        _print_block(note.text)
    if conversation.tags:
        show(f"\nTags: {', '.join(conversation.tags)}")
    if conversation.history:
        show("\nThe same customer:")
        for row in conversation.history:
            show(f"  #{row.id}  {row.source}  {ago(row.created_at)}  {row.excerpt[:80]}")


def _print_text(stored: Stored, *, is_focus: bool) -> None:
    mention = stored.mention
    author = "the shop" if mention.ours else (mention.author.name if mention.author else "") or "unknown"
    facts = [author, mention.kind.value, ago(mention.created_at)]
    if mention.rating is not None:
        facts.append(f"{mention.rating:g} of 5 stars")
    if mention.recommends is not None:
        facts.append("recommends" if mention.recommends else "does not recommend")
    facts += [f"order {mention.order_id}"] if mention.order_id else []
    facts += [mention.product] if mention.product else []
    facts += [f"erased {ago(stored.erased_at)}"] if stored.erased_at else []
    facts += ["gone from the platform"] if stored.gone_at else []
    show(f"\n{'▶' if is_focus else ' '} {', '.join(facts)}")
    for text in (mention.title, mention.text):
        if text:
            _print_block(text)
    for mark, points in (("+", mention.pros), ("-", mention.cons)):
        for point in points:
            show(f"    {mark} {point}")


def _print_assessment(stored: Stored) -> None:
    found = stored.assessment
    if found is None and (stored.mention.ours or stored.erased_at):
        return
    if found is None:
        show("\nNot assessed yet; `reviewdesk poll` does it.")
        return
    compound = "unknown" if found.compound is None else f"{found.compound:+.2f}"
    kind = f"complaint, {found.severity.value}" if found.complaint else "no complaint"
    topics = f"; {', '.join(topic.value for topic in found.topics)}" if found.topics else ""
    show(f"\n{kind} ({found.probability:.0%}), sentiment {compound}, {found.language}{topics}")
    if said := stored.correction:
        kind = "a complaint" if said.complaint else "no complaint"
        show(f"  {said.agent} has corrected it: {said.label.value}, {kind}")
    for reason in found.reasons:
        note = f" ({reason.note})" if reason.note else ""
        show(f"  {reason.share:+.2f}  {reason.field}: {reason.evidence}{note}")


def _print_block(text: str) -> None:
    for line in text.splitlines():
        show(f"    {line}")
