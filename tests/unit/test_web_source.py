"""Source addresses: every line of FAULTS section 7, "Source address allow-list"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.errors import ConfigError, SourceRefused
from razorpay_hardened.web import Headers, Request, SourceCheck, webhook_sources

PROXY = "10.1.2.3"
RAZORPAY = "52.66.75.174"
STRANGER = "203.0.113.9"


def allowed(peer, *forwarded, proxies=("10.0.0.0/8",), **options):
    """Whether a request from this peer, with these X-Forwarded-For lines, passes."""
    headers = Headers([("X-Forwarded-For", line) for line in forwarded])
    request = Request("POST", headers, b"{}", remote_addr=peer)
    try:
        SourceCheck(trusted_proxies=proxies, **options).check(request)
    except SourceRefused:
        return False
    return True


@pytest.mark.parametrize("source", webhook_sources().networks)
def test_published_addresses(source):
    """Each published address passes, the first and the last of each network too."""
    address, _, length = source.partition("/")
    last = f"{address.rpartition('.')[0]}.63" if length else address

    assert allowed(address)
    assert allowed(last)


@pytest.mark.parametrize(
    "peer",
    [
        STRANGER,
        "052.66.75.174",
        "876759982",
        "٥٢.66.75.174",
        "fe80::1%eth0",
        f"{RAZORPAY}%eth0",
        "18.96.225.64",
        "18.99.160.48",
        "64:ff9b::3442:4bae",
        "2002:3442:4bae::",
        "",
        None,
        "localhost",
        f"{RAZORPAY}/32",
        f"{RAZORPAY}\n",
        f"[{RAZORPAY}",
        PROXY,
    ],
)
def test_refused_peers(peer):
    """Whatever is not exactly a published address is refused: look-alikes, tunnels, names, nothing at all."""
    assert not allowed(peer)


@pytest.mark.parametrize("peer", [f"::ffff:{RAZORPAY}", f"[::ffff:{RAZORPAY}]:443", f"{RAZORPAY}:443", "18.96.225.63"])
def test_allowed_peers(peer):
    """An IPv4 address inside IPv6 and one with a port are the address."""
    assert allowed(peer)


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        ([f"{STRANGER}, {RAZORPAY}"], True),
        ([f"{RAZORPAY}, {STRANGER}"], False),
        ([RAZORPAY, STRANGER], False),
        ([STRANGER, RAZORPAY], True),
        ([f"{RAZORPAY}, 10.9.9.9,10.8.8.8"], True),
        ([f"[::ffff:{RAZORPAY}]:443"], True),
        ([f"\t{RAZORPAY} "], True),
        ([f"{RAZORPAY}, unknown"], False),
        ([f"{RAZORPAY},"], False),
        ([""], False),
        ([], False),
        (["10.9.9.9"], False),
        ([",".join([RAZORPAY] + ["10.0.0.1"] * 31)], True),
        ([",".join([RAZORPAY] + ["10.0.0.1"] * 32)], False),
        (["," * 100_000], False),
    ],
)
def test_behind_a_trusted_proxy(lines, passes):
    """The first untrusted hop from the right is the sender; lines are joined in order; at most 32 hops are read."""
    assert allowed(PROXY, *lines) is passes


def test_nothing_is_believed_without_a_trusted_proxy():
    """A stranger may claim what it likes."""
    assert not allowed(STRANGER, RAZORPAY, proxies=())
    assert not allowed(STRANGER, RAZORPAY)
    assert allowed(RAZORPAY, STRANGER, proxies=())


@pytest.mark.parametrize("name", ["X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "Forwarded", "X_Forwarded_For"])
def test_other_headers_are_never_read(name):
    """Only X-Forwarded-For can name a sender."""
    request = Request("POST", {name: RAZORPAY}, b"{}", remote_addr=PROXY)

    with pytest.raises(SourceRefused):
        SourceCheck(trusted_proxies=["10.0.0.0/8"]).check(request)


def test_a_unix_socket():
    """Without a peer address only a socket that was declared trusted may name the sender."""
    assert not allowed(None, RAZORPAY)
    assert not allowed("", RAZORPAY)
    assert allowed(None, RAZORPAY, trust_socket=True)
    assert not allowed(None, f"{RAZORPAY}, {STRANGER}", trust_socket=True)


def test_another_list():
    """The list is an argument: Razorpay may change its addresses."""
    assert allowed("2001:db8::5", allowed=["2001:db8::/64"])
    assert not allowed(RAZORPAY, allowed=[])
    for wrong in ("razorpay.com", "18.96.225.1/26", ""):
        with pytest.raises(ConfigError):
            SourceCheck([wrong])
        with pytest.raises(ConfigError):
            SourceCheck(trusted_proxies=[wrong])


@given(st.one_of(st.none(), st.text()), st.lists(st.text(), max_size=4))
def test_hostile_claims_are_refused(peer, lines):
    """Any text as peer or header is refused, never an error of another kind (FAULTS P8)."""
    assert not allowed(peer, *lines)
    assert not allowed(PROXY, *lines)
