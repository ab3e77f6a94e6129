"""The toolkit for emulated platforms: write the platform's state and endpoints, get a server, faults and a log.

An emulator answers over real HTTP on loopback in the shapes of the real platform and keeps state, so a posted reply is
there at the next poll.
"""

from reviewdesk.sandbox.emulator import CannotPlay, CustomerText, Emulator, Fault, FaultKind, SeenRequest, ShopReply
from reviewdesk.sandbox.server import Running, serve

__all__ = [
    "CannotPlay",
    "CustomerText",
    "Emulator",
    "Fault",
    "FaultKind",
    "Running",
    "SeenRequest",
    "ShopReply",
    "serve",
]
