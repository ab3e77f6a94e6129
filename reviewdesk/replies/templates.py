"""The templates: those that come in the box, the shop's own, and which of them suit a mention."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files

import msgspec

from reviewdesk.errors import ConfigError
from reviewdesk.model import Purpose, Record, Template, Topic
from reviewdesk.replies.personalise import LANGUAGES
from reviewdesk.replies.render import check_template
from reviewdesk.text import one_line
from reviewdesk.typed_toml import Check, Document

_COMPLAINT = (
    Purpose.APOLOGISE,
    Purpose.ASK,
    Purpose.AFTER_SALES,
    Purpose.EXPLAIN,
    Purpose.DEFEND,
    Purpose.THANK,
)
_PRAISE = (
    Purpose.THANK,
    Purpose.EXPLAIN,
    Purpose.ASK,
    Purpose.AFTER_SALES,
    Purpose.APOLOGISE,
    Purpose.DEFEND,
)
_LUKEWARM = (
    Purpose.EXPLAIN,
    Purpose.THANK,
    Purpose.ASK,
    Purpose.APOLOGISE,
    Purpose.AFTER_SALES,
    Purpose.DEFEND,
)
_LUKEWARM_RATING = 3.0
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_COUNTRIES = {"cz": "cs", "ua": "uk", "at": "de", "gb": "en", "us": "en"}
_LANGUAGE = re.compile(r"[a-z]{2}\Z")


class _Entry(Record, frozen=True, kw_only=True):
    name: str
    purpose: Purpose
    title: str
    body: str
    topics: tuple[Topic, ...] = ()

    def template(self, language: str, *, bundled: bool) -> Template:
        return Template(
            name=self.name,
            language=language,
            purpose=self.purpose,
            title=self.title,
            body=self.body.strip("\n"),
            topics=self.topics,
            bundled=bundled,
        )


@lru_cache(maxsize=1)
def bundled() -> tuple[Template, ...]:
    """Gives the templates that come in the box, by language and in the order of their files. Read once."""
    return tuple(
        msgspec.convert(table, _Entry).template(language, bundled=True)
        for language in LANGUAGES
        for table in tomllib.loads((files(__package__) / "bundled" / f"{language}.toml").read_text("utf-8"))["template"]
    )


def from_toml(text: str, *, language: str, name: str = "the templates") -> tuple[Template, ...]:
    """Gives the shop's own templates written in TOML: `[[template]]` tables with `name`, `purpose`, `title`, `body`
    and, where they suit only some, `topics`.

    Args:
        name: of the file, for the messages.

    Raises:
        ConfigError: something is wrong; `problems` names every mistake with its line, none is taken in part.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The templates are no TOML: {one_line(str(error))}.") from error
    tables = data.get("template", [])
    tables = tables if isinstance(tables, list) else []
    check = Check(Document(name, text=text), {("template", at): _name_of(each) for at, each in enumerate(tables)})
    check.unknown_keys(data, ("template",), ())
    if not tables:
        check.report((), "there is no [[template]] table")
    read: dict[str, Template] = {}
    for at, table in enumerate(tables):
        where = ("template", at)
        entry = check.table(table, _Entry, where)
        if entry is None:
            body = table.get("body") if isinstance(table, dict) else None
            for fault in check_template(body) if isinstance(body, str) else ():
                check.report((*where, "body"), fault)
            continue
        template = entry.template(language, bundled=False)
        for fault in faults(template):
            check.report(where, fault)
        if template.name in read:
            check.report(where, "the name is there twice")
        read[template.name] = template
    if check.problems:
        raise ConfigError("The templates cannot be taken over:", problems=check.lines())
    return tuple(read.values())


def _name_of(table: object) -> str:
    return str(table.get("name", "")) if isinstance(table, dict) else ""


def faults(template: Template) -> list[str]:
    """Gives what is wrong with one of the shop's own templates, one sentence each; empty where it may be saved."""
    found = []
    if not _LANGUAGE.match(template.language):
        found.append("the language is two small letters of ISO 639-1 (“cs”).")
    elif right := _COUNTRIES.get(template.language):
        found.append(f"“{template.language}” is a country and no language; write “{right}”.")
    if not _NAME.match(template.name) or len(template.name) > 60:
        found.append("the name is small letters, digits and hyphens, at most 60 (“thank-short”).")
    if not template.title.strip() or len(template.title) > 100 or one_line(template.title) != template.title:
        found.append("the title is one line of at most 100 characters.")
    return found + check_template(template.body)


def merged(templates: Iterable[Template]) -> list[Template]:
    """Gives the templates without the bundled ones that the shop has replaced: same name, same language."""
    everything = list(templates)
    own = {(template.language, template.name) for template in everything if not template.bundled}
    return [each for each in everything if not each.bundled or (each.language, each.name) not in own]


def suggest(
    templates: Iterable[Template],
    *,
    language: str | None,
    topics: Sequence[Topic],
    complaint: bool,
    rating: float | None,
    purpose: Purpose | None = None,
) -> list[Template]:
    """Gives the templates that may be used, the most suitable first; the shop's own replace bundled ones.

    The language counts most, then that a template is not about something else, then the purpose (a complaint wants
    an apology, praise wants thanks, a rating of up to 3 stars an explanation), then how weighty its topic is
    in the mention, then that it is the shop's own.

    Args:
        language: ISO 639-1 of the mention; None where it is not known.
        topics: the mention's, most weighty first.
        rating: stars from 1 to 5; None where not rated.
        purpose: gives only templates for this one.
    """
    if complaint:
        purposes = _COMPLAINT
    elif rating is not None and rating <= _LUKEWARM_RATING:
        purposes = _LUKEWARM
    else:
        purposes = _PRAISE

    def rank(template: Template) -> tuple[bool, bool, int, int, bool]:
        shared = [place for place, topic in enumerate(topics) if topic in template.topics]
        return (
            template.language != language,
            bool(template.topics) and not shared,
            purposes.index(template.purpose),
            min(shared, default=len(topics)),
            template.bundled,
        )

    return sorted((each for each in merged(templates) if purpose in (None, each.purpose)), key=rank)
