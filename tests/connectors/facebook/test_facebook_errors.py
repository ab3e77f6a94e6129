from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from reviewdesk.connector import Answer, AuthFailed, ConnectorError, PermissionMissing, RateLimited
from reviewdesk_connectors.facebook.errors import RULES, WAIT, Rule, Trouble, error_of, rule_for, trouble_of
from reviewdesk_connectors.facebook.payloads import ErrorBody
from reviewdesk_connectors.facebook.usage import read_usage

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _answer(method: str = "GET", status: int = 400) -> Answer:
    return Answer(
        method=method, url="https://graph.facebook.com/", status=status, headers={}, body=b"", received_at=NOW
    )


def _example(rule: Rule) -> ErrorBody:
    subcode = min(rule.subcodes) if rule.subcodes else (4711 if rule.refined else 0)
    return ErrorBody(code=rule.codes[0], error_subcode=subcode, message=f"words {rule.words}")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.codes[0]}-{min(rule.subcodes, default=0)}")
def test_each_row_is_reached_says_what_is_wrong_and_keeps_its_cause(rule: Rule) -> None:
    body = _example(rule)
    assert rule_for(body) is rule, "an earlier row takes its errors"
    for method in ("GET", "POST", "DELETE"):
        error = error_of(body, _answer(method))
        assert isinstance(error, ConnectorError)
        assert trouble_of(error) is rule.trouble
        assert rule.sentence in error.sentence
        assert str(rule.codes[0]) in error.sentence
        assert error.hint or rule.trouble not in (Trouble.TOKEN, Trouble.PERMISSION, Trouble.BLOCKED)


# Code, subcode and what it must be when reading, as the guide to error handling tells them.
SHEET = [
    *((code, 0, RateLimited) for code in (4, 17, 32, 341, 613, 80000, 80001, 80002, 80006, 80014)),
    (613, 1996, RateLimited),
    *((190, subcode, AuthFailed) for subcode in (0, 458, 459, 460, 463, 464, 467, 492, 493, 31337)),
    *((code, 0, AuthFailed) for code in (102, 459, 1705)),
    *((code, 0, PermissionMissing) for code in (3, 10, 200, 210, 283, 299)),
]


@pytest.mark.parametrize(("code", "subcode", "expected"), SHEET)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("transient", [True, False])
def test_definite_codes_are_what_they_are_however_they_come(
    code: int, subcode: int, expected: type[ConnectorError], method: str, transient: bool
) -> None:
    body = ErrorBody(code=code, error_subcode=subcode, is_transient=transient, message="anything at all")
    for status in (200, 400, 403, 500):
        assert type(error_of(body, _answer(method, status))) is expected


def test_each_end_of_a_token_has_its_own_sentence() -> None:
    sentences = {rule_for(ErrorBody(code=190, error_subcode=sub)).sentence for sub in (458, 459, 460, 463, 464, 467)}
    sentences |= {rule_for(ErrorBody(code=190, error_subcode=sub)).sentence for sub in (492, 493, 0)}
    assert len(sentences) == 9


def test_the_wait_is_the_headers_else_fifteen_minutes() -> None:
    usage = read_usage({"x-business-use-case-usage": '{"1":[{"type":"pages","estimated_time_to_regain_access":19}]}'})
    told = error_of(ErrorBody(code=80001), _answer(), usage)
    assert isinstance(told, RateLimited)
    assert told.until == NOW + timedelta(minutes=19)
    untold = error_of(ErrorBody(code=4), _answer())
    assert isinstance(untold, RateLimited)
    assert untold.until == NOW + WAIT == NOW + timedelta(minutes=15)


def test_no_code_is_in_two_rows_that_nothing_tells_apart() -> None:
    plain = [rule for rule in RULES if not (rule.subcodes or rule.refined or rule.words)]
    singles = [rule.codes[0] for rule in plain if rule.codes[0] == rule.codes[1]]
    assert len(singles) == len(set(singles))
    assert all(msgspec.json.encode(rule.sentence) for rule in RULES)
