"""Who holds a lease: a process on a machine. One that is dead holds nothing, however long its lease would last."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from functools import cache
from hashlib import blake2s
from pathlib import Path

_TOLD_APART_BY = ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid")
"""Where Linux tells one start of a machine, and one container, from others: a process's number counts there alone."""


def new_holder() -> str:
    """Gives a name for the calling process's turn that no other turn has."""
    return f"{_here()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Tells whether a holder is a process of this machine that is certainly gone; False where that cannot be told.

    Of processes from before the machine was started anew, and of other containers', that cannot be told: their leases
    run out.
    """
    here, _, rest = holder.rpartition(":")[0].rpartition(":")
    if here != _here() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@cache
def _here() -> str:
    told = [socket.gethostname()]
    for path in map(Path, _TOLD_APART_BY):
        with suppress(OSError):
            told.append(str(path.readlink()) if path.is_symlink() else path.read_text())
    return f"{told[0]}/{blake2s(''.join(told).encode(), digest_size=6).hexdigest()}"
