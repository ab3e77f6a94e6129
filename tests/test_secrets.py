from __future__ import annotations

import io
import json
import logging
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk import secrets
from reviewdesk.errors import MissingSecret
from reviewdesk.secrets import HIDDEN, RedactingFilter, Secret, redact, remember, safe_url


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forgets what other tests have revealed, and what these reveal."""
    pattern = secrets._pattern
    monkeypatch.setattr(secrets, "_revealed", frozenset())
    yield
    secrets._pattern = pattern


def missing(reference: str, setting: str = "source 'fb', key 'token'") -> str:
    with pytest.raises(MissingSecret) as caught:
        Secret(reference, setting).reveal()
    return str(caught.value)


class TestReveal:
    def test_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DESK_TOKEN", " value-1 \n")
        assert Secret("env:DESK_TOKEN").reveal() == "value-1"
        assert redact("x value-1 y") == f"x {HIDDEN} y"

    @pytest.mark.parametrize("value", [None, "", "  \n"])
    def test_environment_without_it(self, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
        if value is not None:
            monkeypatch.setenv("DESK_TOKEN", value)
        told = missing("env:DESK_TOKEN")
        assert "source 'fb', key 'token'" in told
        assert "Set the environment variable DESK_TOKEN." in told

    def test_file(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("value-2\n")
        path.chmod(0o600)
        assert Secret(f"file:{path}").reveal() == "value-2"

    def test_file_at_home(self, nobodys_machine: Path) -> None:
        path = nobodys_machine / "token"
        path.write_text("value-3")
        path.chmod(0o600)
        assert Secret("file:~/token").reveal() == "value-3"

    @pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
    def test_a_file_that_others_can_reach(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "token"
        path.write_text("value-4")
        path.chmod(mode)
        told = missing(f"file:{path}")
        assert "chmod 600" in told
        assert "value-4" not in told

    @pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00"])
    def test_no_file_or_nothing_in_it(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "token"
        if content is not None:
            path.write_bytes(content)
            path.chmod(0o600)
        assert str(path) in missing(f"file:{path}")

    def test_keyring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stored = {("desk", "fb/cz"): "value-5"}
        keyring = types.ModuleType("keyring")
        keyring.get_password = lambda service, user: stored.get((service, user))  # type: ignore[attr-defined]
        keyring.errors = types.SimpleNamespace(KeyringError=RuntimeError)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        assert Secret("keyring:desk/fb/cz").reveal() == "value-5"
        assert "keyring set desk other" in missing("keyring:desk/other")

    def test_keyring_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        assert "reviewdesk[keyring]" in missing("keyring:desk/fb")

    def test_in_clear(self) -> None:
        secret = Secret("EAAB:with:colons")
        assert secret.in_clear
        assert secret.reveal() == "EAAB:with:colons"
        assert "EAAB" not in repr(secret) + str(secret) + secret.where + f"{secret}"


class TestRedact:
    @given(st.lists(st.text(min_size=4, max_size=12), min_size=1, max_size=5), st.text(max_size=20))
    def test_no_secret_in_any_form_it_takes(self, values: list[str], around: str) -> None:
        values = [value.encode("utf-8", "replace").decode() for value in values]
        for value in values:
            remember(value)
        for value in values:
            for form in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]):
                left = redact(around + form + around).replace(HIDDEN, "")
                assert form not in left or form in around * 2

    @given(
        st.lists(st.text(min_size=4, max_size=12) | st.sampled_from(["secret", "[secret]", "[sec"]), max_size=5),
        st.text(),
    )
    def test_twice_is_once(self, values: list[str], text: str) -> None:
        for value in values:
            remember(value.encode("utf-8", "replace").decode())
        assert redact(redact(text)) == redact(text)

    def test_a_secret_within_another(self) -> None:
        remember("abcd")
        remember("abcdefgh")
        assert redact("abcdefgh abcd") == f"{HIDDEN} {HIDDEN}"

    def test_too_short_to_strike_out(self) -> None:
        remember("abc")
        assert redact("abc") == "abc"

    def test_a_secret_that_another_thread_learns_meanwhile(self) -> None:
        class Text(str):
            def __contains__(self, value: str) -> bool:
                remember(f"{value}-and-more")
                return str.__contains__(self, value)

        remember("first")
        remember("second")
        assert redact(Text("first")) == HIDDEN
        assert redact(Text("none")) == "none"


class TestSafeUrl:
    @pytest.mark.parametrize(
        "name",
        [
            "access_token",
            "input_token",
            "fb_exchange_token",
            "client_secret",
            "appsecret_proof",
            "key",
            "api_key",
            "apiKey",
            "api-key",
            "X-Amz-Signature",
            "refresh_token",
            "password",
            "code",
            "sig",
            "sessionid",
            "TOKEN",
        ],
    )
    def test_secret_parameters_go(self, name: str) -> None:
        assert safe_url(f"https://a.cz/x?{name}=hide-me&page=2") == "https://a.cz/x?page=2"
        assert "hide-me" not in safe_url(f"https://a.cz/x#{name}=hide-me&state=1")
        assert "hide-me" not in safe_url(f"https://a.cz/x?page=2;{name}=hide-me")

    @pytest.mark.parametrize("name", ["page", "since", "country_code", "monkey_business", "fields", "design", "after"])
    def test_others_stay(self, name: str) -> None:
        assert safe_url(f"https://a.cz/x?{name}=keep-me") == f"https://a.cz/x?{name}=keep-me"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("https://user:pass@a.cz:8443/x", "https://a.cz:8443/x"),
            ("http://[::1]:8801/x", "http://[::1]:8801/x"),
            ("https://a.cz:port/", HIDDEN),
            ("https://[bad/", HIDDEN),
            ("", ""),
            ("https://a.cz/#top", "https://a.cz/#top"),
        ],
    )
    def test_known(self, url: str, shown: str) -> None:
        assert safe_url(url) == shown

    @given(
        st.dictionaries(st.sampled_from(["page", "q", "token", "key", "a_secret"]), st.text(max_size=9), max_size=5),
        st.sampled_from(["", "u:p@"]),
    )
    def test_twice_is_once_and_the_rest_stays(self, query: dict[str, str], user: str) -> None:
        query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
        url = safe_url(f"https://{user}a.cz/x?{urlencode(query)}")
        left = {name: value for name, value in query.items() if name in ("page", "q")}
        assert dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == left
        assert safe_url(url) == url

    @given(st.text())
    def test_never_raises_and_never_obeys(self, text: str) -> None:
        for url in (safe_url(text), safe_url("https://a.cz/" + text)):
            assert "\x1b" not in url
            assert "\n" not in url


class TestLog:
    @pytest.fixture
    def logged(self) -> Iterator[tuple[logging.Logger, io.StringIO]]:
        """Gives a logger and what its filtered handler writes."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.addFilter(RedactingFilter())
        log = logging.getLogger("reviewdesk.test-of-the-filter")
        log.addHandler(handler)
        yield log, stream
        log.removeHandler(handler)

    def test_secrets_in_message_arguments_traceback_and_stack(self, logged: tuple[logging.Logger, io.StringIO]) -> None:
        log, stream = logged
        remember("hide-me-1")
        try:
            raise ValueError("hide-me-1 and \x1b]0;owned\x07")
        except ValueError:
            log.exception("failed with %s", "hide-me-1", stack_info=True)
        written = stream.getvalue()
        assert "hide-me-1" not in written
        assert "\x1b" not in written
        assert "ValueError" in written
        assert "Stack (most recent call last)" in written

    @given(st.text())
    def test_each_record_is_one_line(self, text: str) -> None:
        record = logging.LogRecord("x", logging.WARNING, "f", 1, "said %s", (text,), None)
        assert RedactingFilter().filter(record)
        line = logging.Formatter().format(record)
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line

    def test_a_log_call_that_does_not_fit_its_arguments(self, logged: tuple[logging.Logger, io.StringIO]) -> None:
        log, stream = logged
        remember("hide-me-2")
        log.warning("two %s %s", "hide-me-2")
        assert "two" in stream.getvalue()
        assert "hide-me-2" not in stream.getvalue()
