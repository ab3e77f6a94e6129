"""How many bytes something holds: what can be reached from it, as the garbage collector sees it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Collection
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

_SHARED = (type, ModuleType, CodeType, BuiltinFunctionType, logging.Logger, asyncio.AbstractEventLoop, asyncio.Future)
"""What belongs to the whole process, or leads to all of it."""


def weight(*roots: object, but: Collection[object] = ()) -> int:
    """Gives the bytes of all that hangs on the roots, each thing once.

    Generators that wait count with what their frames hold. What C libraries keep to themselves does not.

    Args:
        but: things that are not gone into.
    """
    seen = {id(each) for each in but}
    seen.add(id(seen))
    total = 0
    level: list[Any] = list(roots)
    while level:
        fresh = []
        for each in level:
            if id(each) not in seen and not isinstance(each, _SHARED):
                seen.add(id(each))
                total += sys.getsizeof(each, 0)
                fresh.append(each)
        # A function's globals are its module's.
        plain = [each for each in fresh if not isinstance(each, FunctionType)]
        closures = [part for each in fresh if isinstance(each, FunctionType)
                    for part in (each.__closure__, each.__defaults__, each.__kwdefaults__)]  # fmt: skip
        level = [*gc.get_referents(*plain), *closures]
    return total
