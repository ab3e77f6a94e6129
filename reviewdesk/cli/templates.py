"""`reviewdesk templates`."""

from __future__ import annotations

from pathlib import Path

import click

from reviewdesk.cli.output import json_line, say, show, table
from reviewdesk.cli.session import DeskCommand, DeskGroup, Session, pass_session
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Template


def _all(session: Session) -> list[Template]:
    """Gives those in the box, and where there is a database the shop's own."""
    from reviewdesk.replies.templates import bundled, merged

    own: list[Template] = []
    if session.reading.database.exists():
        with session.store() as store:
            own = list(store.people.templates())
    return merged((*bundled(), *own))


@click.group(
    "templates",
    invoke_without_command=True,
    cls=DeskGroup,
    examples=(
        "reviewdesk templates --lang cs",
        "reviewdesk templates add ours.toml --lang cs",
    ),
)
@click.option("--lang", metavar="XX", help="Only in this language.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@click.pass_context
def templates_command(ctx: click.Context, lang: str | None, as_json: bool) -> None:
    """List, show, add and remove reply templates.

    Without a command it lists those in the box and your own.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = [each for each in _all(ctx.ensure_object(Session)) if lang in (None, each.language)]
    if as_json:
        for template in found:
            json_line(template)
        return
    if not found:
        say(f"There are no templates in {lang!r}.")
        return
    table(
        ("LANG", "NAME", "PURPOSE", "TOPICS", "TITLE", "FROM"),
        [
            (
                each.language,
                each.name,
                each.purpose.value.replace("_", " "),
                ", ".join(each.topics),
                each.title,
                "the box" if each.bundled else "you",
            )
            for each in found
        ],
        flexible=4,
    )


@templates_command.command("show", cls=DeskCommand)
@click.argument("name")
@click.option("--lang", metavar="XX", help="Only in this language.")
@pass_session
def show_template(session: Session, name: str, lang: str | None) -> None:
    """Show the words of a template."""
    found = [each for each in _all(session) if each.name == name and lang in (None, each.language)]
    if not found:
        raise NotAllowed(f"There is no template {name!r}.", hint="`reviewdesk templates` lists them.")
    for template in found:
        show(f"[{template.language}] {template.title}\n\n{template.body}\n")


@templates_command.command("add", cls=DeskCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lang", metavar="XX", required=True, help="The language of the templates in the file.")
@pass_session
def add(session: Session, file: Path, lang: str) -> None:
    """Take in templates of your own from a TOML file.

    Each stands in for the one with the same name and language. docs/templates.md tells how a file looks.
    """
    from reviewdesk.replies.templates import from_toml

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise NotAllowed(f"{file} is not in UTF-8.", hint="Save it as UTF-8.") from None
    templates = from_toml(text, language=lang, name=file.name)
    with session.store(begin=True) as store, store.transaction():
        for template in templates:
            store.people.save_template(template)
    say(f"Taken in: {', '.join(each.name for each in templates)}.")


@templates_command.command("remove", cls=DeskCommand)
@click.argument("name")
@click.option("--lang", metavar="XX", required=True, help="Its language.")
@pass_session
def remove(session: Session, name: str, lang: str) -> None:
    """Remove a template of your own.

    One in the box that it stood in for is back.
    """
    with session.store() as store:
        store.people.delete_template(name, lang)
    say(f"{name} is removed.")
