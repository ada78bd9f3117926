"""Real bodies, mutated and signed rightly: typed answers only, and a store that stays sound.

``make test`` looks at a few hundred mutants, the same ones each time. ``make fuzz`` looks at new ones for
``FUZZ_SECONDS`` (600); what fails prints its seed, and ``FUZZ_SEED`` begins there again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodies import WEBHOOK_SECRET, Shop, body, life_of, order, payment, refund, request
from client_fakes import refusal, rig
from razorpay_hardened import MemoryStore, sign_for_test, web
from razorpay_hardened.signals import EventRejected, Signal
from razorpay_hardened.testing import factories
from support import canary

SEEDS = [
    *life_of(1).values(),
    body("payment.captured", payment=payment(2, "captured", order_id=None)),
    body("payment.failed", payment=payment(3, "failed")),
    body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")),
    body("refund.failed", payment=payment(1, "captured"), refund=refund(2, "failed", of=1)),
    *(factories.body(name) for name in factories.EVENTS),
]
"""What Razorpay sends: a payment's whole life here, and one body of every event that is documented."""

_ODD = [
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**40, 0.1, 1e308, -0.0,
    "", "\0", "\ud800", "é",
    "pay_", "pay_../../refunds", "order_00000000000001", "INR", "inr", "captured", "refunded", "failed", "%s%n",
    "{0.__class__}", "x" * 5000, [], {}, [[]], {"entity": None}, {"": ""}, [None] * 50,
]  # fmt: skip
_TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\ud800", b"null", b"true", b"NaN", b"-0", b"1e999",
    b"\0", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"//", b"[" * 300, b'{"a":' * 300, b"9" * 5000,
    b" " * 1000,
]  # fmt: skip


class World:
    """One shop that takes everything that is thrown at it."""

    def __init__(self) -> None:
        nothing_known = rig((400, refusal()), forever=True, max_attempts=1).client
        self.shop = Shop(MemoryStore(), client=nothing_known)
        self.shop.store.migrate()
        for number in (1, 2):
            self.shop.adopt(number)
        self.shop.rzp.signals.subscribe(self._hear)
        self.seen = 0

    def _hear(self, signal: Signal) -> None:
        """Signals name nobody; but an id is an id, even where a mutant has spliced a telephone number into it."""
        self._leaks(repr(signal).replace(str(getattr(signal, "entity_id", "\0")), "…"))

    def throw(self, raw: bytes) -> None:
        """Deliver it, signed; hold the answer and what was said against what is documented."""
        self.seen += 1
        self.shop.heard.clear()
        self.shop.clock.advance(0.001)
        reply = self.shop.rzp.webhooks.handle(request(raw, event_id=f"evt-{self.seen}"))
        assert reply.status in ({413} if len(raw) > 1 << 20 else {200}), reply.status
        assert self.shop.rzp.signals.failures == 0
        self._leaks(reply.body.decode())
        if reply.status == 200:
            row = self.shop.store.inbox_state(_digest(raw))
            assert row in ("done", "ignored", "parked", "quarantined")

    def throw_unsigned(self, raw: bytes, tag: bytes) -> None:
        """The same with a tag of anybody's: 401 unless it is the right one."""
        self.shop.heard.clear()
        reply = self.shop.rzp.webhooks.handle(web.Request("POST", [(b"X-Razorpay-Signature", tag)], raw))
        assert reply.status in (401, 429)
        assert len(self.shop.told(EventRejected)) == 1
        self._leaks(reply.body.decode())

    def sound(self) -> None:
        """The trail verifies, before and after everything that waits has been worked off."""
        found = self.shop.rzp.audit.verify()
        assert found.whole, found.first
        self.shop.clock.advance(24 * 3600)
        self.shop.rzp.webhooks.process_pending()
        assert self.shop.rzp.audit.verify().whole

    def _leaks(self, text: str) -> None:
        found = canary.found_in(text, log=True)
        assert found is None, found


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


# --- mutants ----------------------------------------------------------------------------------------------------


def spoil_bytes(raw: bytes, chance: random.Random) -> bytes:
    """One to four changes that know nothing of JSON."""
    out = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.randint(1, 16))
        act = chance.randrange(6)
        if act == 0 and at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        elif act == 1:
            del out[at:end]
        elif act == 2:
            out[at:at] = chance.choice(_TOKENS)
        elif act == 3:
            out[at:end] = chance.choice(_TOKENS)
        elif act == 4:
            out[at:at] = out[at:end] * chance.randint(1, 20)
        else:
            del out[at:]
    return bytes(out)


def spoil_json(raw: bytes, chance: random.Random) -> bytes:
    """One to three changes of values, keys and shapes: it is JSON afterwards, and perhaps no event."""
    tree = json.loads(raw)
    for _ in range(chance.randint(1, 3)):
        node: Any = tree
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = chance.choice(keys)
            if isinstance(node[key], (dict, list)) and node[key] and chance.random() < 0.8:
                node = node[key]
                continue
            _change(node, key, chance)
            break
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=chance.random() < 0.8).encode("utf-8", "surrogatepass")


def _change(node: Any, key: Any, chance: random.Random) -> None:
    act = chance.randrange(5)
    if act == 0:
        del node[key]
    elif act == 1 and isinstance(node, dict):
        node[str(chance.choice(_ODD))] = node.pop(key)
    elif act == 2 and type(node[key]) is int:
        node[key] += chance.choice((-1, 1, 100, -node[key], 2**40))
    elif act == 3:
        node[key] = [node[key]] if chance.random() < 0.5 else {"entity": node[key]}
    else:
        node[key] = chance.choice(_ODD)


def _spliced(raw: bytes, chance: random.Random) -> bytes:
    """The beginning of one body and the end of another."""
    other = chance.choice(SEEDS)
    return raw[: chance.randrange(len(raw))] + other[chance.randrange(len(other)) :]


MUTATORS: list[Callable[[bytes, random.Random], bytes]] = [spoil_bytes, spoil_json, spoil_json, _spliced]


@pytest.fixture(scope="module")
def world() -> World:
    """The shop that all mutants of this run meet, one after the other."""
    return World()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_mutants_of_real_bodies(world: World, seed: int) -> None:
    """Only documented answers; no exception of another library; nothing secret or personal in what is told."""
    chance = random.Random(seed)
    raw = chance.choice(MUTATORS)(chance.choice(SEEDS), chance)
    world.throw(raw)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200))
def test_any_bytes_at_all(world: World, raw: bytes) -> None:
    """Signed rightly, whatever they are: kept."""
    world.throw(raw)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entity=_JSON, field=st.sampled_from([*payment(1, "captured"), "new"]), value=_JSON)
def test_any_value_in_any_field(world: World, entity: Any, field: str, value: Any) -> None:
    """As a field of a real payment, as the entity, and as the whole body."""
    world.throw(body("payment.captured", payment={**payment(1, "captured"), field: value}))
    world.throw(json.dumps({"event": "payment.captured", "payload": {"payment": {"entity": entity}}}).encode())
    world.throw(json.dumps(entity).encode())


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tag=st.binary(max_size=80) | st.text("0123456789abcdef", min_size=64, max_size=64).map(str.encode))
def test_any_tag(world: World, tag: bytes) -> None:
    """401 for every one that is not the body's own."""
    raw = SEEDS[0]
    if tag.strip(b" \t") != sign_for_test(raw, WEBHOOK_SECRET).encode():
        world.throw_unsigned(raw, tag)


def test_the_world_is_sound_after_all_that(world: World) -> None:
    """The audit chain verifies and every delivery has an end state; so does an honest delivery still."""
    rng = random.Random(7)
    for mutate in MUTATORS:
        for raw in SEEDS[:12]:
            world.throw(mutate(raw, rng))
    world.sound()
    assert world.shop.deliver(body("payment.captured", payment=payment(2, "captured"))) == 200
    assert world.shop.store.payment("pay_00000000000002") is not None


@pytest.mark.campaign
@pytest.mark.timeout(24 * 3600)
def test_fuzz_for_the_whole_budget() -> None:
    """New mutants until ``FUZZ_SECONDS`` are over; a fresh world, and a look at the whole trail, every 500."""
    until = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**48)
    thrown = 0
    while time.monotonic() < until:
        chance, fresh = random.Random(seed), World()
        try:
            for _ in range(500):
                raw = chance.choice(SEEDS)
                for _ in range(chance.randint(1, 3)):
                    raw = _again(raw, chance)
                fresh.throw(raw)
                thrown += 1
            fresh.sound()
        except BaseException:
            print(f"FUZZ_SEED={seed}, mutant {fresh.seen}")
            raise
        seed += 1
    print(f"{thrown} mutants, last world FUZZ_SEED={seed - 1}")
    assert thrown > 0


def _again(raw: bytes, chance: random.Random) -> bytes:
    mutate = chance.choice(MUTATORS)
    try:
        return mutate(raw, chance)
    except (ValueError, TypeError, RecursionError):  # no JSON any more, or no container: only bytes can be spoilt
        return spoil_bytes(raw, chance)
