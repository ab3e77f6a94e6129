"""`reviewdesk hide`, `like`, `edit-reply`, `delete-reply`: what is done at once on a platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click

from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.config import Config
from reviewdesk.store.db import Store

Act = Callable[[Config, Store, str], Coroutine[Any, Any, None]]


def _do(session: Session, act: Act, sentence: str) -> None:
    from reviewdesk.cli.logs import log_to_file

    log_to_file()
    config = session.config
    with session.store(config) as store:
        asyncio.run(act(config, store, config.agent))
    say(sentence)


def _switch(name: str, *, back: str, help: str, back_help: str, done: str, undone: str) -> click.Command:
    """Gives the command that does something to a mention on its platform, or takes it back.

    Args:
        name: of the command, and of what does it in `reviewdesk.desk.moderate`.
        back: the option that takes it back.
        done, undone: what is said then, `{id}` standing for the mention.
    """

    @click.command(name, cls=DeskCommand, help=help, examples=(f"reviewdesk {name} 42", f"reviewdesk {name} 42 {back}"))
    @click.argument("id", type=Number())
    @click.option(back, "undo", is_flag=True, help=back_help)
    @pass_session
    def command(session: Session, id: int, undo: bool) -> None:
        from reviewdesk.desk import moderate

        act = {"hide": moderate.hide, "like": moderate.like}[name]
        sentence = (undone if undo else done).format(id=id)
        _do(session, lambda config, store, agent: act(config, store, agent, id, not undo), sentence)

    return command


hide_command = _switch(
    "hide",
    back="--show",
    help="Hide a mention from the public on its platform.",
    back_help="Show it again instead.",
    done="Mention {id} is hidden.",
    undone="Mention {id} is shown again.",
)
like_command = _switch(
    "like",
    back="--take-back",
    help="Like a mention as the shop.",
    back_help="Take the like back instead.",
    done="Mention {id} is liked.",
    undone="The like of mention {id} is taken back.",
)


@click.command(
    "edit-reply",
    cls=DeskCommand,
    examples=("reviewdesk edit-reply 7 'Dobrý den, omlouváme se.'", "reviewdesk edit-reply 7 - < answer.txt"),
)
@click.argument("reply", type=Number())
@click.argument("text")
@pass_session
def edit_reply_command(session: Session, reply: int, text: str) -> None:
    """Change the text of a reply of ours on its platform.

    TEXT is sent word for word; "-" reads it from standard input. `reviewdesk outbox --all` shows the numbers of
    replies.
    """
    from reviewdesk.cli.reply import words_of
    from reviewdesk.desk.moderate import edit_reply

    words = words_of(text)
    _do(
        session,
        lambda config, store, agent: edit_reply(config, store, agent, reply, words),
        f"Reply {reply} is changed.",
    )


@click.command(
    "delete-reply",
    cls=DeskCommand,
    examples=("reviewdesk delete-reply 7",),
)
@click.argument("reply", type=Number())
@click.confirmation_option(prompt="Delete it from the platform?")
@pass_session
def delete_reply_command(session: Session, reply: int) -> None:
    """Delete a reply of ours from its platform.

    `reviewdesk outbox --all` shows the numbers of replies.
    """
    from reviewdesk.desk.moderate import delete_reply

    _do(session, lambda config, store, agent: delete_reply(config, store, agent, reply), f"Reply {reply} is deleted.")
