"""`reviewdesk reply`."""

from __future__ import annotations

import sys

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import ago, say, show
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.config import Config
from reviewdesk.desk.respond import Respond, stops
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Channel, DeliveryState, Template
from reviewdesk.store.db import Store


@click.command(
    "reply",
    cls=DeskCommand,
    examples=(
        "reviewdesk reply 42 'Dobrý den, omlouváme se.'",
        "reviewdesk reply 42 --template apologise-delivery --dry-run",
        "reviewdesk reply 42 - < answer.txt",
    ),
)
@click.argument("id", type=Number())
@click.argument("text", required=False)
@click.option("--template", metavar="NAME", help="Take the words from a template, in the customer's language.")
@click.option("--private", is_flag=True, help="As a private message, where the platform can.")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent and what speaks against it.")
@click.option("--despite-warnings", is_flag=True, help="Send although there are warnings.")
@pass_session
def reply_command(
    session: Session,
    id: int,
    text: str | None,
    template: str | None,
    private: bool,
    dry_run: bool,
    despite_warnings: bool,
) -> int:
    """Reply to a mention.

    TEXT is sent word for word; "-" reads it from standard input. With --template it comes from a template.

    The reply goes out with the next `reviewdesk send` or `poll`, after the seconds in which it can be withdrawn. Where
    the platform takes replies only on its own page, the page and the text to paste are shown.

    Exit code 5 where something speaks against it; --dry-run ends with the same.
    """
    if (text is None) == (template is None):
        raise click.UsageError("Give either TEXT or --template NAME.")
    config = session.reading
    channel = Channel.PRIVATE if private else Channel.PUBLIC
    with session.store(config) as store:
        respond = Respond(store, config.agent, config)
        language = None
        if template is not None:
            text, language = _from_template(store, respond, config, id, template)
        words = words_of(text or "")
        for writer in respond.writing_too(id):
            say(f"{config.agent_name(writer.agent)} is writing a reply to it as well; began {ago(writer.since)}.")
        if dry_run:
            show(words)
            problems = respond.problems(id, words, channel, language=language)
            for problem in problems:
                say(f"{problem.level.value}: {problem.sentence}")
            return Exit.PERSON if any(stops(each, despite_warnings) for each in problems) else Exit.OK
        reply = respond.send(id, words, channel=channel, language=language, despite_warnings=despite_warnings)
        if reply.state is DeliveryState.HANDED_OFF:
            say(f"This platform takes replies on its own page only. Open {respond.reply_page(id) or 'it'} and paste:")
            show(words)
            say(f"Then say so: reviewdesk outbox confirm {reply.id}")
        else:
            say(f"Reply {reply.id} is queued; `reviewdesk outbox withdraw {reply.id}` takes it back until it goes out.")
    return Exit.OK


def words_of(text: str) -> str:
    """Gives the words of a reply as they are given on the command line; "-" reads them from standard input.

    Raises:
        NotAllowed: they are not in UTF-8.
    """
    try:
        words = (sys.stdin.read() if text == "-" else text).strip()
        words.encode()
    except UnicodeError:
        raise NotAllowed("The text is not in UTF-8.", hint="Send it as UTF-8; nothing was done.") from None
    return words


def _from_template(store: Store, respond: Respond, config: Config, id: int, name: str) -> tuple[str, str]:
    from reviewdesk.replies.render import render
    from reviewdesk.replies.templates import bundled, merged

    wanted = respond.language(store.mentions.get(id))
    known: list[Template] = merged((*bundled(), *store.people.templates()))
    named = [each for each in known if each.name == name]
    if not named:
        raise NotAllowed(f"There is no template {name!r}.", hint="`reviewdesk templates` lists them.")
    fits = next((each for each in named if each.language == wanted), None)
    if fits is None:
        languages = ", ".join(sorted(each.language for each in named))
        raise NotAllowed(f"The template {name!r} is not there in {wanted!r}, only in {languages}.")
    return render(fits.body, respond.values(id)).text, fits.language
