"""Where secrets come from, and how they are kept out of everything that is printed or stored.

A setting never holds a secret, only a reference to one: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`.
Every value that was read is remembered, so that `redact` can strike it from logs and error texts.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from reviewdesk.errors import MissingSecret

HIDDEN = "[secret]"
_SECRET_PARAMETERS = re.compile(
    r"(?i)(access_token|token|key|secret|password|passwd|auth|signature|sig|proof|code|api_?key)"
)
_revealed: set[str] = set()


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
            value = self._from_file(Path(name).expanduser())
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
    """Adds a secret value to those that `redact` strikes out; a connector calls it for a token that it was issued."""
    if len(value) >= 4:
        _revealed.update({value, quote(value, safe=""), quote(value)})


def redact(text: str) -> str:
    """Gives `text` with every secret value seen so far replaced by `[secret]`."""
    for value in sorted(_revealed, key=len, reverse=True):
        if value in text:
            text = text.replace(value, HIDDEN)
    return text


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
    query = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not _SECRET_PARAMETERS.fullmatch(name)
        ]
    )
    return redact(urlunsplit((parts.scheme, host + port, parts.path, query, parts.fragment)))


class RedactingFilter(logging.Filter):
    """Strikes secrets and line ends from every log record, whoever wrote it, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; always lets it pass."""
        record.msg = redact(record.getMessage()).replace("\n", "\\n").replace("\r", "\\r")
        record.args = ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True
