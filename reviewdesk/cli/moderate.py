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


@click.command(
    "hide",
    cls=DeskCommand,
    examples=(
        "reviewdesk hide 42",
        "reviewdesk hide 42 --show",
    ),
)
@click.argument("id", type=Number())
@click.option("--show", is_flag=True, help="Show it again instead.")
@pass_session
def hide_command(session: Session, id: int, show: bool) -> None:
    """Hide a mention from the public on its platform."""
    from reviewdesk.desk.moderate import hide

    _do(
        session,
        lambda config, store, agent: hide(config, store, agent, id, not show),
        f"Mention {id} is {'shown again' if show else 'hidden'}.",
    )


@click.command(
    "like",
    cls=DeskCommand,
    examples=(
        "reviewdesk like 42",
        "reviewdesk like 42 --take-back",
    ),
)
@click.argument("id", type=Number())
@click.option("--take-back", is_flag=True, help="Take the like back instead.")
@pass_session
def like_command(session: Session, id: int, take_back: bool) -> None:
    """Like a mention as the shop."""
    from reviewdesk.desk.moderate import like

    sentence = f"The like of mention {id} is taken back." if take_back else f"Mention {id} is liked."
    _do(session, lambda config, store, agent: like(config, store, agent, id, not take_back), sentence)


@click.command(
    "edit-reply",
    cls=DeskCommand,
    examples=("reviewdesk edit-reply 7 'Dobrý den, omlouváme se.'",),
)
@click.argument("reply", type=Number())
@click.argument("text")
@pass_session
def edit_reply_command(session: Session, reply: int, text: str) -> None:
    """Change the text of a reply of ours on its platform.

    `reviewdesk outbox --all` shows the numbers of replies.
    """
    from reviewdesk.desk.moderate import edit_reply

    _do(
        session,
        lambda config, store, agent: edit_reply(config, store, agent, reply, text),
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
