"""The Graph API's error codes as data, and the errors of the desk that they become.

The source is Meta's guide to error handling, with codes that were seen and are not in it. What is certain is told apart
by `code` and `error_subcode`; the HTTP status counts only where there is no JSON, and `type` tells nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from reviewdesk.connector import (
    Answer,
    AuthFailed,
    BadAnswer,
    ConnectorError,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
    redact,
)
from reviewdesk_connectors.facebook.payloads import ErrorBody
from reviewdesk_connectors.facebook.usage import Usage

WAIT = timedelta(minutes=15)
"""How long to keep quiet where the headers name no time."""

BLOCK = timedelta(hours=24)
"""How long to post nothing after a block for spam, as Meta advises; it names no time."""

RENEW = "Make a new Page token (see docs/platforms/facebook.md) and set it where the source's `token` points."


class Trouble(StrEnum):
    """The kinds of trouble that the connector tells apart."""

    TOO_MUCH = "too_much"
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    TOKEN = "token"  # noqa: S105 - a kind of trouble
    PERMISSION = "permission"
    GONE = "gone"
    PARAMETER = "parameter"
    NO_FUNCTION = "no_function"
    BLOCKED = "blocked"
    DUPLICATE = "duplicate"
    ALREADY = "already"
    REFUSED = "refused"
    UNLISTED = "unlisted"


class Rule(msgspec.Struct, frozen=True):
    """One row of the table: which errors it speaks for and what they mean.

    Attributes:
        codes: first and last code, both included.
        trouble: the kind.
        sentence, hint: for people.
        subcodes: only with one of these; empty for all.
        refined: only with a subcode other than 0 and 99 and not passing: a definite answer behind a vague code.
        words: only where the message has these; used once, where one code has two meanings.
    """

    codes: tuple[int, int]
    trouble: Trouble
    sentence: str
    hint: str = ""
    subcodes: frozenset[int] = frozenset()
    refined: bool = False
    words: str = ""

    def fits(self, body: ErrorBody) -> bool:
        """Tells whether the error is one of this row's."""
        return (
            self.codes[0] <= body.code <= self.codes[1]
            and (not self.subcodes or body.error_subcode in self.subcodes)
            and (not self.refined or (body.error_subcode not in (0, 99) and not body.is_transient))
            and self.words in body.message
        )


def _rule(
    codes: int | tuple[int, int], trouble: Trouble, sentence: str, hint: str = "", *subcodes: int, **more: object
) -> Rule:
    first_last = (codes, codes) if isinstance(codes, int) else codes
    return msgspec.structs.replace(
        Rule(first_last, trouble, sentence, hint, frozenset(subcodes)),
        **more,
    )


_ENGAGED = "Is everything granted? `reviewdesk doctor` names what is missing."
_REAUTHORISE = "The Page's administrator has to authorise the app again. " + RENEW
_QUIET = "Facebook wants fewer calls"

RULES: tuple[Rule, ...] = (
    _rule(1, Trouble.ALREADY, "Facebook says that this was done already.", "", 1446036),
    _rule(1, Trouble.REFUSED, "Facebook refused it.", refined=True),
    _rule(1, Trouble.TOO_MUCH, "Facebook could not answer (it was too much at once, or it is unwell)."),
    _rule(2, Trouble.TRANSIENT, "Facebook is unwell for the moment."),
    _rule(3, Trouble.PERMISSION, "The Meta app lacks a capability that this needs.", _ENGAGED),
    _rule(4, Trouble.THROTTLED, f"{_QUIET} from the Meta app."),
    _rule(
        10,
        Trouble.REFUSED,
        "The time for a private answer is over.",
        "Answer on Facebook itself.",
        2018278,
        2534022,
    ),
    _rule(10, Trouble.PERMISSION, "A permission is missing, has lapsed, or the role on the Page was lost.", _ENGAGED),
    _rule(12, Trouble.NO_FUNCTION, "Facebook no longer offers this to its API."),
    _rule(17, Trouble.THROTTLED, f"{_QUIET} from the token's owner."),
    _rule(32, Trouble.THROTTLED, f"{_QUIET} for the Page."),
    _rule(33, Trouble.GONE, "It is gone, or hidden from the Page."),
    _rule(100, Trouble.GONE, "It is gone, or hidden from the Page.", "", 33),
    _rule(100, Trouble.REFUSED, "This person cannot be written to.", "Answer on Facebook itself.", 2018001, 2018108),
    _rule(
        100,
        Trouble.PARAMETER,
        "Facebook does not accept the call.",
        "Is the page_id right? If it speaks of a proof, set app_secret.",
    ),
    _rule(102, Trouble.TOKEN, "The session behind the token has ended.", _REAUTHORISE),
    _rule(190, Trouble.TOKEN, "The app was removed by the person who had authorised it.", _REAUTHORISE, 458),
    _rule(
        190,
        Trouble.TOKEN,
        "Facebook holds the administrator's account at a security check.",
        "Log in to Facebook in a browser as the Page's administrator, then run `reviewdesk doctor`.",
        459,
    ),
    _rule(190, Trouble.TOKEN, "The administrator's password was changed, which ended the token.", _REAUTHORISE, 460),
    _rule(190, Trouble.TOKEN, "The token has expired.", RENEW, 463),
    _rule(190, Trouble.TOKEN, "The administrator's account is not confirmed.", _REAUTHORISE, 464),
    _rule(190, Trouble.TOKEN, "The token is not valid.", RENEW, 467),
    _rule(190, Trouble.TOKEN, "The person behind the token has lost the role on the Page.", _REAUTHORISE, 492),
    _rule(190, Trouble.TOKEN, "The 90 days of data access have lapsed.", _REAUTHORISE, 493),
    _rule(190, Trouble.TOKEN, "Facebook does not accept the token.", RENEW),
    _rule(210, Trouble.PERMISSION, "Facebook does not let the Page act on this person.", _ENGAGED),
    _rule(
        283,
        Trouble.PERMISSION,
        "The permission pages_read_user_content is missing.",
        "Grant it to the app and make a new token.",
    ),
    _rule((200, 299), Trouble.PERMISSION, "A permission is missing, or the role on the Page was lost.", _ENGAGED),
    _rule(341, Trouble.THROTTLED, f"{_QUIET} from the Meta app for a while."),
    _rule(
        368,
        Trouble.BLOCKED,
        "Facebook has blocked the Page from this for a while (spam or policy).",
        "Vary the text before you send it again; other replies to this Page wait for 24 hours.",
    ),
    _rule(
        459,
        Trouble.TOKEN,
        "Facebook holds the administrator's account at a security check.",
        "Log in to Facebook in a browser as the Page's administrator, then run `reviewdesk doctor`.",
    ),
    _rule(506, Trouble.DUPLICATE, "Facebook says that it has the same text already."),
    _rule(551, Trouble.REFUSED, "This person is not available."),
    _rule(613, Trouble.THROTTLED, f"{_QUIET} of this sort."),
    _rule(803, Trouble.GONE, "It is gone, or hidden from the Page."),
    _rule(1705, Trouble.TOKEN, "The token acts as a person, not as the Page.", RENEW),
    # The one code with two meanings that only the (never translated) message tells apart.
    _rule(
        2500,
        Trouble.TOKEN,
        "Facebook found no token in the call.",
        'If the token is good, set token_in = "parameter".',
        words="access token",
    ),
    _rule(2500, Trouble.PARAMETER, "Facebook does not understand the call."),
    _rule(3001, Trouble.PARAMETER, "Facebook does not understand the call."),
    _rule(
        10900,
        Trouble.ALREADY,
        "This was answered privately already, and Facebook takes one private answer only.",
        "Look in the Page's inbox whether it is this one.",
    ),
    _rule(10903, Trouble.REFUSED, "This person cannot be answered privately.", "Answer publicly."),
    _rule((80000, 80014), Trouble.THROTTLED, f"{_QUIET} for the Page."),
    _rule(1609005, Trouble.REFUSED, "Facebook could not make a preview of a link in the text.", "Change the link."),
)

READ: dict[Trouble, type[ConnectorError]] = {
    Trouble.TOO_MUCH: Unreachable,
    Trouble.TRANSIENT: Unreachable,
    Trouble.TOKEN: AuthFailed,
    Trouble.PERMISSION: PermissionMissing,
    Trouble.GONE: NotThere,
    Trouble.BLOCKED: PermissionMissing,
}
"""What each trouble is when reading; the others are `BadAnswer`."""

WRITE: dict[Trouble, type[ConnectorError]] = {
    Trouble.TOO_MUCH: OutcomeUnknown,
    Trouble.TRANSIENT: OutcomeUnknown,
    Trouble.TOKEN: AuthFailed,
    Trouble.PERMISSION: PermissionMissing,
    Trouble.GONE: NotThere,
    Trouble.DUPLICATE: OutcomeUnknown,
    Trouble.UNLISTED: OutcomeUnknown,
}
"""What each trouble is when writing; the others are `Refused`: it is certain that nothing was posted."""


class GraphFailure(Exception):
    """What the API said, as the cause of the error that a connector's method raises."""

    def __init__(self, trouble: Trouble, body: ErrorBody) -> None:
        super().__init__(redact(f"({body.code}/{body.error_subcode}) {body.message} [{body.fbtrace_id}]"))
        self.trouble = trouble
        self.body = body


def trouble_of(error: ConnectorError) -> Trouble | None:
    """Gives the trouble behind an error; None where the API told none."""
    return error.__cause__.trouble if isinstance(error.__cause__, GraphFailure) else None


def rule_for(body: ErrorBody) -> Rule:
    """Gives the row of the table that an error belongs to."""
    for rule in RULES:
        if rule.fits(body):
            return rule
    if body.is_transient:
        return Rule((body.code, body.code), Trouble.TRANSIENT, "Facebook is unwell for the moment.")
    return Rule((body.code, body.code), Trouble.UNLISTED, "Facebook answered with an error.")


def error_of(body: ErrorBody, answer: Answer, usage: Usage | None = None) -> ConnectorError:
    """Gives the error to raise for what the API said, with a `GraphFailure` as its cause.

    Args:
        answer: tells whether it was a read or a write, and when.
        usage: what the answer's headers said of the limits.
    """
    rule = rule_for(body)
    if rule.trouble is Trouble.UNLISTED and answer.status >= 500:
        rule = msgspec.structs.replace(rule, trouble=Trouble.TRANSIENT)
    number = f"{body.code}/{body.error_subcode}" if body.error_subcode else str(body.code)
    words = " ".join(part for part in (body.error_user_title, body.error_user_msg) if part) or body.message
    sentence = redact(
        f"{rule.sentence} Facebook's words: {words} ({number})." if words else f"{rule.sentence} ({number})"
    )
    error: ConnectorError
    if rule.trouble is Trouble.THROTTLED:
        error = RateLimited(sentence, until=quiet_until(answer.received_at, usage))
    else:
        reading = answer.method == "GET"
        kind = READ.get(rule.trouble, BadAnswer) if reading else WRITE.get(rule.trouble, Refused)
        error = kind(sentence, hint=rule.hint)
        if isinstance(error, Refused) and rule.trouble is Trouble.BLOCKED:
            error.until = answer.received_at + BLOCK
    error.__cause__ = GraphFailure(rule.trouble, body)
    return error


def quiet_until(now: datetime, usage: Usage | None) -> datetime:
    """Gives when to call again: after the minutes that the headers name, else after 15."""
    return now + (timedelta(minutes=usage.minutes) if usage and usage.minutes else WAIT)
