"""Where secrets come from, and how they are kept out of everything that is printed or stored.

A setting never holds a secret, only a reference to one: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`.
Every value that was read is remembered, so that `redact` can strike it from logs and error texts.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import threading
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from reviewdesk.errors import MissingSecret
from reviewdesk.text import safe

HIDDEN = "[secret]"
_LEAST_IN_BASE64 = 8
_URL_SAFE = str.maketrans("+/", "-_")
# The last word of a parameter's name tells: access_token, fb_exchange_token, api-key, X-Amz-Signature.
_SECRET_PARAMETERS = re.compile(
    r"(?i)(.*[_.-])?([a-z]*(token|key|secret|password)|passwd|pwd|pass|auth|authorization|credential|signature|sig|proof)"
    r"|code|sid|session(_?id)?"
)
_revealed: frozenset[str] = frozenset()
_pattern = re.compile(re.escape(HIDDEN))
# Connectors and scorers may have threads of their own: a set that is looked through is never changed, but replaced.
_remembering = threading.Lock()


class Secret:
    """A reference to a secret, and the one door to its value.

    Args:
        reference: `env:NAME`, `file:PATH`, `keyring:SERVICE/USER`; anything else is the secret itself in clear.
        setting: the setting that holds the reference, for error messages ("source 'fb', key 'token'").
    """

    __slots__ = ("_reference", "setting")

    def __init__(self, reference: str, setting: str = "") -> None:
        self._reference = reference
        self.setting = setting

    @property
    def in_clear(self) -> bool:
        """True where the configuration holds the secret itself instead of a reference."""
        return self._reference.partition(":")[0] not in ("env", "file", "keyring")

    @property
    def where(self) -> str:
        """Where the value is looked for, fit to be shown."""
        return "the configuration itself" if self.in_clear else self._reference

    def reveal(self) -> str:
        """Gives the value.

        Raises:
            MissingSecret: it is not there; the sentence names the variable, file or keyring entry to set.
        """
        kind, _, name = self._reference.partition(":")
        if self.in_clear:
            value = self._reference
        elif kind == "env":
            value = os.environ.get(name, "")
        elif kind == "file":
            value = self._from_file(Path(os.path.expanduser(name)))
        else:
            value = self._from_keyring(name)
        if not value.strip():
            raise MissingSecret(self._sentence(), hint=self._hint(kind, name))
        value = value.strip()
        remember(value)
        return value

    def _sentence(self) -> str:
        return f"The secret for {self.setting or 'a setting'} is missing."

    @staticmethod
    def _hint(kind: str, name: str) -> str:
        if kind == "env":
            return f"Set the environment variable {name}."
        if kind == "file":
            return f"Write it to the file {name}, readable by you alone (chmod 600)."
        return f"Store it in the keyring: keyring set {name.replace('/', ' ', 1)}."

    def _from_file(self, path: Path) -> str:
        try:
            mode = path.stat().st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise MissingSecret(
                    f"The secret file {path} can be read by others, so it is not used.",
                    hint=f"Run: chmod 600 {path}",
                )
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _from_keyring(self, name: str) -> str:
        try:
            import keyring
        except ImportError:
            raise MissingSecret(
                self._sentence(), hint="Install the keyring support: pip install 'reviewdesk[keyring]'."
            ) from None
        service, _, user = name.partition("/")
        try:
            return keyring.get_password(service, user) or ""
        except keyring.errors.KeyringError:
            return ""

    def __repr__(self) -> str:
        return f"Secret({self.where!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._reference == self._reference

    def __hash__(self) -> int:
        return hash(self._reference)


def remember(value: str) -> None:
    """Adds a secret value to those that `redact` strikes out; a connector calls it for a token that it was issued.

    The forms that it takes in URLs, JSON, HTML, base64 and in Python's own printing are struck out too. Less than four
    characters are not: they would be struck out of every other word.
    """
    global _pattern, _revealed
    if len(value) < 4 or value in _revealed:
        return
    in_json = {json.dumps(value, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}
    printed = {repr(value)[1:-1], repr(value.encode("utf-8", "surrogatepass"))[2:-1], escape(value)}
    in_urls = {quote(value, safe=""), quote(value), quote_plus(value)}
    with _remembering:
        known = _revealed | {value, *in_json, *in_urls, *printed, *_in_base64(value)}
        # The mark comes first, so that a secret that is part of it ("secret") cannot make it grow.
        _pattern = re.compile("|".join(map(re.escape, [HIDDEN, *sorted(known, key=len, reverse=True)])))
        _revealed = known


def _in_base64(value: str) -> Iterator[str]:
    """Gives what base64 makes of a value wherever it stands, as in `Basic …`: without the letters that it shares."""
    content = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = b64encode(bytes(before) + content).decode()
        own = whole[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]
        if len(own) >= _LEAST_IN_BASE64:
            yield own
            yield own.translate(_URL_SAFE)


def redact(text: str) -> str:
    """Gives `text` with every secret value seen so far replaced by `[secret]`."""
    # Nearly every text holds none, and looking for each is ten times as fast as looking for any of them.
    return _pattern.sub(HIDDEN, text) if any(value in text for value in _revealed) else text


def safe_url(url: str) -> str:
    """Gives a URL fit to be stored or printed: no user info, and no value of a parameter that may be a secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    if ":" in host:
        host = f"[{host}]"
    fragment = _without_secrets(parts.fragment) if "=" in parts.fragment else parts.fragment
    return safe(redact(urlunsplit((parts.scheme, host + port, parts.path, _without_secrets(parts.query), fragment))))


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query.replace(";", "&"), keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if not _SECRET_PARAMETERS.fullmatch(name)])


class RedactingFilter(logging.Filter):
    """Makes every log record one harmless line without secrets, whoever wrote it; tracebacks keep their lines.

    It belongs on handlers: a logger's own filter does not see what its children log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; always lets it pass."""
        try:
            message = record.getMessage()
        except Exception:  # a plugin's log call whose arguments do not fit must not stop a poll
            message = f"{record.msg} {record.args!r}"
        record.msg = _harmless(message).replace("\n", "\\n")
        record.args = ()
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        record.exc_text = record.exc_text and _harmless(record.exc_text)
        record.stack_info = record.stack_info and _harmless(record.stack_info)
        return True


def _harmless(text: str) -> str:
    return safe(redact(text))
