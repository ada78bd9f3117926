"""Where a request comes from: an optional check in front of the signature, never in its place (FAULTS rule 10, P10).

Razorpay publishes the addresses that webhooks come from (FAULTS section 1, fact 8). They may change, so the list is a
file with its date, and another file may take its place. ``X-Forwarded-For`` is read from the right and only as far as
proxies that we were told to trust wrote it: whatever stands further left, anybody may have sent. No other header is
ever read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from razorpay_hardened.errors import ConfigError, SourceRefused

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from razorpay_hardened.web.values import Request

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network

__all__ = ["HOPS_MAX", "SourceCheck", "SourceList", "too_wide", "webhook_sources"]

HOPS_MAX: Final = 32
"""How far ``X-Forwarded-For`` is walked: beyond that nobody's word is believed."""

_FILE_MAX: Final = 64 * 1024
_PORT: Final = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


class SourceList(NamedTuple):
    """Addresses and networks, as text; ``as_of`` is when they were published, None where the file does not say."""

    networks: tuple[str, ...]
    as_of: date | None


@lru_cache(maxsize=8)
def webhook_sources(path: str | os.PathLike[str] | None = None) -> SourceList:
    """The addresses that Razorpay's webhooks come from: the list in this package, or the file at ``path``.

    A file has one address or network a line, remarks after ``#``, and may have a line ``as-of 2026-11-23``. It is read
    once in a process. Raises :class:`ConfigError` naming the line that is none of these, for a network that means
    "anybody", for an empty list and for a file that cannot be read.
    """
    given = Path(__file__).with_name("webhook_sources.txt") if path is None else Path(path)
    try:
        with given.open("rb") as file:
            raw = file.read(_FILE_MAX + 1)
        text = raw.decode("ascii")
    except OSError as error:
        raise ConfigError(f"the list of sources cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise ConfigError("the list of sources is not ASCII text") from None
    if len(raw) > _FILE_MAX:
        raise ConfigError(f"the list of sources is longer than {_FILE_MAX // 1024} KiB")
    return _read(text)


def _read(text: str) -> SourceList:
    networks: list[str] = []
    as_of: date | None = None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        try:
            if len(words) == 2 and words[0] == "as-of":
                as_of = date.fromisoformat(words[1])
            elif len(words) == 1 and not too_wide(_network(words[0])):
                networks.append(words[0])
            elif words:
                raise ValueError
        except ValueError:  # ConfigError is none
            raise ConfigError(f"line {number} of the list of sources is no address, network or 'as-of' date") from None
        except ConfigError as error:
            raise ConfigError(f"line {number} of the list of sources: {error.message}") from None
    if not networks:
        raise ConfigError("the list of sources is empty: nobody could call")
    return SourceList(tuple(networks), as_of)


class SourceCheck:
    """Says who sent a request, and refuses who is not in ``allowed``: addresses or networks, as text.

    ``allowed`` is the published list where it is None. ``trusted_proxies`` are the networks whose ``X-Forwarded-For``
    is believed; ``trusted_hops`` says how many proxies stand in front whose addresses you cannot name (a cloud's load
    balancer): so many hops from the right, the socket's peer being the first, are believed whatever their address.
    ``trust_socket`` says that a request without a peer address came over a Unix socket that only a trusted proxy can
    reach. Text that is no network, and a proxy's network so wide that it means "anybody", is a :class:`ConfigError`.
    """

    __slots__ = ("_allowed", "_hops", "_proxies", "_trust_socket")

    def __init__(
        self,
        allowed: Iterable[str] | None = None,
        *,
        trusted_proxies: Iterable[str] = (),
        trusted_hops: int = 0,
        trust_socket: bool = False,
    ) -> None:
        self._allowed = tuple(map(_network, webhook_sources().networks if allowed is None else allowed))
        self._proxies = tuple(map(_network, trusted_proxies))
        if any(too_wide(network) for network in (*self._allowed, *self._proxies)):
            raise ConfigError("a network this wide means anybody: none wider than /8 (IPv6: /16)")
        if type(trusted_hops) is not int or not 0 <= trusted_hops < HOPS_MAX:
            raise ConfigError(f"trusted_hops is a whole number from 0 to {HOPS_MAX - 1}")
        self._hops = trusted_hops
        self._trust_socket = trust_socket

    def check(self, request: Request) -> None:
        """Return if the sender is allowed; else :class:`SourceRefused`, also where the sender cannot be told."""
        if not self.lists(self.sender(request)):
            raise SourceRefused

    def lists(self, sender: Address | None) -> bool:
        """Whether this address is on the list. None is not."""
        return sender is not None and _within(sender, self._allowed)

    def stands_between(self, sender: Address, request: Request) -> bool:
        """Whether ``sender`` looks like a proxy that nobody told of: the socket's own peer, at an address that cannot
        be on the Internet, handing on what others sent."""
        if sender.is_global or "x-forwarded-for" not in request.headers:
            return False
        return request.remote_addr is not None and _address(request.remote_addr) == sender

    def sender(self, request: Request) -> Address | None:
        """The first address from the right that no trusted proxy of ours has; None if there is none to believe."""
        believed = self._hops
        if request.remote_addr is None:
            if not self._trust_socket:
                return None
            believed = max(0, believed - 1)  # the socket is a hop like another, without an address
        for place, address in enumerate(_hops(request)):
            if address is None or (place >= believed and not _within(address, self._proxies)):
                return address
        return None


def _hops(request: Request) -> Iterator[Address | None]:
    """The socket's peer, then X-Forwarded-For from the right; None for what is no address."""
    if request.remote_addr is not None:
        yield _address(request.remote_addr)
    hops = ",".join(request.headers.get_all("x-forwarded-for")).rsplit(",", HOPS_MAX)
    for hop in reversed(hops[-HOPS_MAX:]):
        yield _address(hop.strip(" \t"))


def _network(text: str) -> Network:
    from ipaddress import ip_network  # only processes that check sources pay for it

    try:
        return ip_network(text)
    except ValueError:
        raise ConfigError("a source is an address or a network, such as 18.96.225.0/26") from None


def too_wide(network: Network) -> bool:
    """Whether a network is so wide that it means "anybody": wider than /8, or /16 in IPv6."""
    return network.prefixlen < (8 if network.version == 4 else 16)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """The address, without a port; None for anything else. IPv4 inside IPv6 is unwrapped, 6to4 and NAT64 are not:
    anybody can send from those.
    """
    from ipaddress import ip_address

    if port := _PORT.fullmatch(text):
        text = port[1] or port[2] or ""
    if "%" in text:  # a zone means something on one machine only
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if address.version == 6 else address
