"""The border between the public network and the private one: which addresses a source may not lead into.

An address that a platform, a feed's owner or a typing error puts in our way must not reach what only this machine can
reach: a router's page, a cloud's metadata service, a database without a password. What counts is the address that is
dialled, not the name, which its owner can point elsewhere at any moment.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from reviewdesk.errors import PrivateNetwork

# Behind these stands an IPv4 address: https://www.rfc-editor.org/rfc/rfc6052#section-2.1 and #section-2.2.
_TRANSLATED = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


def is_public(address: str) -> bool:
    """Tells whether an IP address can be reached by everybody.

    Loopback, private, link-local, shared, documentation, multicast and reserved ranges are not (the registries of IANA,
    as the `ipaddress` module has them), nor is an IPv6 address behind which such an IPv4 address stands.

    Args:
        address: in its usual form; a zone as in `fe80::1%eth0` is allowed.

    Raises:
        ValueError: it is no IP address.
    """
    numbers = ip_address(address)
    inner = _within(numbers) if isinstance(numbers, IPv6Address) else None
    return _is_global(numbers) if inner is None else _is_global(inner)


def _within(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address in _TRANSLATED or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.teredo[1] if address.teredo else None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def ensure_public(host: str, addresses: Iterable[str]) -> None:
    """Lets pass what leads into the public network only.

    Args:
        host: as it was written, for the sentence.
        addresses: that it stands for.

    Raises:
        PrivateNetwork: one of them is not public.
    """
    for address in addresses:
        if not is_public(address):
            leads = f"{host} leads to {address}" if host != address else f"{host} is"
            raise PrivateNetwork(
                f"{leads} in the private network, where this source may not go.",
                hint="If that is meant, write private_network = true under its [[source]].",
            )


def ensure_public_url(url: str) -> None:
    """Looks at an address before it is asked by another client than `Http`. Waits for the resolver.

    Args:
        url: absolute; a name that does not resolve passes, since who dials will say so.

    Raises:
        PrivateNetwork: it leads into the private network.
    """
    host = urlsplit(url).hostname or ""
    ensure_public(host, addresses_written(host) or _resolved(host))


def _resolved(host: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def addresses_written(host: str) -> list[str]:
    """Gives the IP address that a host spells out, in any form that a resolver takes, else nothing.

    Among them are decimal, octal, hexadecimal and shortened ones: `2130706433`, `0177.1`, `0x7f000001`.
    """
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    try:
        return [socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))]
    except (OSError, UnicodeError, ValueError):
        return ["127.0.0.1"] if host.rstrip(".").lower().rpartition(".")[2] == "localhost" else []
