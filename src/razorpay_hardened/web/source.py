"""Where a request comes from: an optional check in front of the signature, never in its place (FAULTS rule 10, P10).

Razorpay publishes the addresses that webhooks come from (FAULTS section 1, fact 8); they may change, so the list is an
argument. ``X-Forwarded-For`` is read from the right and only as far as proxies that we were told to trust wrote it:
whatever stands further left, anybody may have sent. No other header is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from razorpay_hardened.errors import ConfigError, SourceRefused

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from razorpay_hardened.web.values import Request

__all__ = ["WEBHOOK_SOURCES", "SourceCheck"]

WEBHOOK_SOURCES: Final[tuple[str, ...]] = (
    "52.66.75.174",
    "52.66.76.63",
    "52.66.151.218",
    "35.154.217.40",
    "35.154.22.73",
    "35.154.143.15",
    "13.126.199.247",
    "13.126.238.192",
    "13.232.194.134",
    "18.96.225.0/26",
    "18.99.161.0/26",
)
"""The addresses that Razorpay's webhooks come from, as published."""

_HOPS_MAX: Final = 32
_PORT: Final = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


class SourceCheck:
    """Refuses requests whose sender is not in ``allowed``: addresses or networks, as text.

    ``trusted_proxies`` are the networks whose ``X-Forwarded-For`` is believed. ``trust_socket`` says that a request
    without a peer address came over a Unix socket that only a trusted proxy can reach. Text that is no network is a
    :class:`ConfigError`.
    """

    __slots__ = ("_allowed", "_proxies", "_trust_socket")

    def __init__(
        self,
        allowed: Iterable[str] = WEBHOOK_SOURCES,
        *,
        trusted_proxies: Iterable[str] = (),
        trust_socket: bool = False,
    ) -> None:
        self._allowed = tuple(_networks(allowed))
        self._proxies = tuple(_networks(trusted_proxies))
        self._trust_socket = trust_socket

    def check(self, request: Request) -> None:
        """Return if the sender is allowed; else :class:`SourceRefused`, also where the sender cannot be told."""
        sender = self._sender(request)
        if sender is None or not _within(sender, self._allowed):
            raise SourceRefused

    def _sender(self, request: Request) -> IPv4Address | IPv6Address | None:
        """The first address from the right that no trusted proxy of ours has; None if there is none to believe."""
        if request.remote_addr is None:
            if not self._trust_socket:
                return None
        else:
            peer = _address(request.remote_addr)
            if peer is None or not _within(peer, self._proxies):
                return peer
        hops = ",".join(request.headers.get_all("x-forwarded-for")).rsplit(",", _HOPS_MAX)
        for hop in reversed(hops[-_HOPS_MAX:]):
            address = _address(hop.strip(" \t"))
            if address is None or not _within(address, self._proxies):
                return address
        return None


def _networks(texts: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    from ipaddress import ip_network  # only processes that check sources pay for it

    for text in texts:
        try:
            yield ip_network(text)
        except ValueError:
            raise ConfigError("a source is an address or a network, such as 18.96.225.0/26") from None


def _within(address: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
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
