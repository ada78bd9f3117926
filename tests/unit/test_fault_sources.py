"""FAULTS section 7, "Source address allow-list": each line, with its code, its status and its record."""

from __future__ import annotations

from typing import Any

import pytest

from bodies import Shop, body, payment, request
from razorpay_hardened import MemoryStore, web
from razorpay_hardened.signals import EventRejected, SourceUnlisted

RAZORPAY, STRANGER, PROXY = "52.66.75.174", "203.0.113.9", "10.1.2.3"
CAPTURED = body("payment.captured", payment=payment(1, "captured"))
BEHIND = {"trusted_proxies": ("10.0.0.0/8",)}


def came(
    peer: str | None,
    *lines: str,
    mode: str = "enforce",
    signed: bool = True,
    header: str = "X-Forwarded-For",
    options: dict[str, Any] | None = None,
) -> tuple[int, list[str], list[str], Shop]:
    """A delivery from ``peer``: the status, the reasons that were counted, the states stored, and the shop."""
    ours = Shop(MemoryStore(), options={"source_check": mode, **(options or {})})
    ours.adopt(1)
    good = request(CAPTURED)
    headers = [*(good.headers.items() if signed else []), *((header, line) for line in lines)]
    reply = ours.rzp.webhooks.handle(web.Request("POST", headers, CAPTURED, remote_addr=peer))
    reasons = [signal.reason for signal in ours.told(EventRejected)]
    return reply.status, reasons, [row.state for row in ours.store.deliveries()], ours


REFUSED: dict[str, tuple[Any, ...]] = {
    "no proxy trusted, X-Forwarded-For claims": (STRANGER, (RAZORPAY,), {}),
    "one trusted proxy, the claim stands further left": (PROXY, (f"{RAZORPAY}, {STRANGER}",), BEHIND),
    "octal look": ("052.66.75.174", (), {}),
    "integer form": ("876759982", (), {}),
    "Arabic digits": ("٥٢.66.75.174", (), {}),
    "a zone id": ("fe80::1%eth0", (), {}),
    "one past the last of /26": ("18.96.225.64", (), {}),
    "API ingress, not webhook egress": ("18.99.160.48", (), {}),
    "empty REMOTE_ADDR": ("", (RAZORPAY,), {}),
    "no REMOTE_ADDR": (None, (RAZORPAY,), {}),
    "NAT64": ("64:ff9b::3442:4bae", (), {}),
    "octal look as a hop": (PROXY, ("052.66.75.174",), BEHIND),
    "integer form as a hop": (PROXY, ("876759982",), BEHIND),
    "Arabic digits as a hop": (PROXY, ("٥٢.66.75.174".encode().decode("latin-1"),), BEHIND),
    "a zone id as a hop": (PROXY, (f"{RAZORPAY}%eth0",), BEHIND),
    "two lines, the spoof in the first": (PROXY, (RAZORPAY, STRANGER), BEHIND),
    "33 hops": (PROXY, (", ".join([RAZORPAY, *["10.0.0.1"] * 32]),), BEHIND),
    "one hop trusted, two claimed": (STRANGER, (f"{RAZORPAY}, {STRANGER}",), {"trusted_hops": 1}),
    "one hop trusted, none there": (RAZORPAY, (), {"trusted_hops": 1}),
    "a socket trusted as the one hop, a stranger behind it": (
        None,
        (f"{RAZORPAY}, {STRANGER}",),
        {"trusted_hops": 1, "trust_socket": True},
    ),
}
ALLOWED: dict[str, tuple[Any, ...]] = {
    "one trusted proxy, the right-most hop": (PROXY, (f"{STRANGER}, {RAZORPAY}",), BEHIND),
    "IPv4 in IPv6 as the peer": (f"::ffff:{RAZORPAY}", (), {}),
    "IPv4 in IPv6 with a port as a hop": (PROXY, (f"[::ffff:{RAZORPAY}]:443",), BEHIND),
    "the last of /26": ("18.96.225.63", (), {}),
    "32 hops": (PROXY, (", ".join([RAZORPAY, *["10.0.0.1"] * 31]),), BEHIND),
    "one hop trusted": (STRANGER, (f"{STRANGER}, {RAZORPAY}",), {"trusted_hops": 1}),
    "two hops trusted": (STRANGER, (f"{RAZORPAY}, {STRANGER}",), {"trusted_hops": 2}),
    "hops and networks together": (STRANGER, (f"{RAZORPAY}, {PROXY}",), {"trusted_hops": 1, **BEHIND}),
    "a trusted socket": (None, (RAZORPAY,), {"trust_socket": True}),
    "a trusted socket is the first hop": (None, (RAZORPAY,), {"trust_socket": True, "trusted_hops": 1}),
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str) -> None:
    """SourceRefused · 403 · R0: a counter and nothing stored, though the signature is right."""
    peer, lines, options = REFUSED[line]
    assert came(peer, *lines, options=options)[:3] == (403, ["SourceRefused"], [])


@pytest.mark.parametrize("line", ALLOWED)
def test_allowed(line: str) -> None:
    """Allowed · 200 · RS."""
    peer, lines, options = ALLOWED[line]
    assert came(peer, *lines, options=options)[:3] == (200, [], ["done"])


@pytest.mark.parametrize("header", ["X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "Forwarded"])
def test_other_headers_name_nobody(header: str) -> None:
    """SourceRefused · 403 · R0: only X-Forwarded-For is read."""
    assert came(PROXY, RAZORPAY, header=header, options=BEHIND)[:3] == (403, ["SourceRefused"], [])


def test_an_address_never_stands_in_for_a_tag() -> None:
    """SignatureMissing · 401 · R0: the right source address without a signature."""
    assert came(RAZORPAY, signed=False)[:3] == (401, ["SignatureMissing"], [])


def test_the_mode_that_only_logs_lets_everybody_through_and_says_so() -> None:
    """200 · RS, and one signal with the sender; a listed sender causes none."""
    status, reasons, states, ours = came(PROXY, f"{RAZORPAY}, {STRANGER}", mode="log", options=BEHIND)
    assert (status, reasons, states) == (200, [], ["done"])
    assert ours.told(SourceUnlisted) == [SourceUnlisted(STRANGER, PROXY)]
    assert came("nobody", mode="log")[3].told(SourceUnlisted) == [SourceUnlisted(None, "nobody")]
    assert came(RAZORPAY, mode="log")[3].told(SourceUnlisted) == []


def test_switched_off_nobody_is_looked_up() -> None:
    """200 · RS without a signal: the signature decides alone."""
    status, _, states, ours = came(STRANGER, mode="off")
    assert (status, states, ours.told(SourceUnlisted)) == (200, ["done"], [])


def test_a_list_of_your_own(tmp_path: Any) -> None:
    """The addresses of ``sources_file`` count in place of the published ones."""
    path = tmp_path / "sources.txt"
    path.write_text("as-of 2026-11-23\n203.0.113.8/31  # ours\n")
    options = {"sources_file": str(path)}
    assert came(STRANGER, options=options)[0] == 200
    assert came(RAZORPAY, options=options)[0] == 403
