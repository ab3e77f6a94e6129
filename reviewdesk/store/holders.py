"""Who holds a lease: a process on a machine. One that is dead holds nothing, however long its lease would last."""

from __future__ import annotations

import os
import secrets
import socket


def new_holder() -> str:
    """Gives a name for the calling process's turn that no other turn has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Tells whether a holder is a process of this machine that is certainly gone; False where that cannot be told."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
