"""Scenarios B1: how webhooks come."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from razorpay_hardened.emulator import Deliveries
from razorpay_hardened.emulator.deliver import LADDER_S
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.testing import factories
from razorpay_hardened.web import webhook_sources
from support.stage import DAY_S, TRIO, Hook, Stage, hmac_hex, scenario


def _fail(stage: Stage) -> str:
    """One event, payment.failed; the id of its payment."""
    return str(stage.rz.pay(stage.order(), outcome="failed")["id"])


def _signed(got: tuple[dict[str, str], bytes], secret: str) -> bool:
    headers, body = got
    return headers["X-Razorpay-Signature"] == hmac_hex(body.decode(), secret)


@pytest.mark.parametrize("status", [301, 400, 500, None])
@scenario("RH-02")
def test_only_2xx_is_an_answer(status: int | None) -> None:
    """A redirect, a refusal, an error or a closed socket: the event comes again, each time later, for a day."""
    stage = Stage()
    hook = stage.hook(status)
    _fail(stage)
    stage.rz.clock.advance(DAY_S - 1)

    start = stage.rz.deliver.log[0].at
    gaps = [(one.at - start).total_seconds() for one in stage.rz.deliver.log]
    assert gaps == [0, *LADDER_S[:-1]]
    assert set(hook.names) == {"payment.failed"}
    assert len(set(hook.ids)) == 1
    assert not any(one.acknowledged for one in stage.rz.deliver.log)


@scenario("RH-03")
def test_webhook_is_switched_off_after_a_day() -> None:
    """All retries failed: an e-mail to the alert address, and nothing more is sent until it is switched on by hand."""
    stage = Stage()
    hook = stage.hook(500)
    _fail(stage)
    stage.rz.clock.advance(DAY_S + 1)
    attempts = len(hook.got)
    missed = stage.rz.pay(stage.order())["id"]
    stage.rz.clock.advance(DAY_S)

    assert stage.rz.deliver.disabled
    assert [notice.to for notice in stage.rz.deliver.notices] == ["alerts@example.com"]
    assert len(hook.got) == attempts
    assert stage.payment(missed)["status"] == "captured"
    stage.rz.deliver.enable()
    up = stage.hook()
    stage.rz.pay(stage.order())
    stage.rz.clock.advance(1)
    assert up.names == TRIO
    assert missed.encode() not in b"".join(body for _, body in up.got)


@scenario("RH-07")
def test_event_is_a_snapshot() -> None:
    """payment.authorized comes when the payment is long captured, and still says authorized."""
    stage = Stage()
    hook = stage.hook()
    stage.rz.faults.add("on EVENT payment.authorized: late(3600)")
    payment = stage.rz.pay(stage.order())["id"]
    stage.rz.clock.advance(3601)

    assert hook.names == ["payment.captured", "order.paid", "payment.authorized"]
    told = json.loads(hook.got[-1][1])["payload"]["payment"]["entity"]
    assert (told["id"], told["status"], told["captured"]) == (payment, "authorized", False)
    assert stage.payment(payment)["status"] == "captured"


@scenario("RH-08")
def test_retry_keeps_the_old_secret() -> None:
    """An event from before the rotation is retried with its old signature; a new one has the new secret's."""
    stage = Stage()
    hook = stage.hook(500, 200)
    old = stage.rz.webhook_secret
    _fail(stage)
    stage.rz.clock.advance(1)
    stage.rz.rotate_webhook_secret("another-secret")
    stage.rz.clock.advance(6)
    _fail(stage)
    stage.rz.clock.advance(1)

    assert [_signed(one, old) for one in hook.got] == [True, True, False]
    assert _signed(hook.got[2], "another-secret")
    assert hook.ids[0] == hook.ids[1]


@pytest.mark.parametrize("how", [{"sort_keys": True}, {"indent": 1}, {"separators": (", ", ": ")}, {}])
@scenario("RH-09")
def test_only_the_raw_bytes_are_signed(how: dict[str, Any]) -> None:
    """The same JSON with its keys sorted, spaced out or otherwise re-encoded has another signature."""
    stage = Stage()
    hook = stage.hook()
    order = stage.order()
    stage.rz.pay(order, outcome="failed", notes={"name": "गौरव / café"})
    stage.rz.clock.advance(1)
    headers, body = hook.got[0]
    again = json.dumps(json.loads(body), ensure_ascii=bool(how), **how).encode()

    assert json.loads(again) == json.loads(body)
    assert again != body
    assert _signed((headers, body), stage.rz.webhook_secret)
    assert not _signed((headers, again), stage.rz.webhook_secret)


@pytest.mark.parametrize("damage", [None, "", "abc", "upper", "z" * 64])
@scenario("RH-10")
def test_malformed_signature_then_a_genuine_one(damage: str | None) -> None:
    """A delivery taken by hand has its signature broken on the way and is answered 400: the retry is genuine."""
    stage = Stage()
    _fail(stage)
    (delivery,) = stage.rz.deliver.due()
    headers = {key: value for key, value in delivery.headers.items() if key != "X-Razorpay-Signature"}
    genuine = delivery.headers["X-Razorpay-Signature"]
    if damage is not None:
        headers["X-Razorpay-Signature"] = genuine.upper() if damage == "upper" else damage
    assert headers.get("X-Razorpay-Signature") != genuine
    stage.rz.deliver.answered(delivery, 400)
    hook = stage.hook()
    stage.rz.clock.advance(6)

    assert hook.ids == [delivery.event_id]
    assert _signed(hook.got[0], stage.rz.webhook_secret)


@scenario("RH-11")
def test_webhook_without_a_secret_is_unsigned() -> None:
    """No signature header at all, and everything else as usual."""
    stage = Stage()
    got = []

    def endpoint(_: str, headers: dict[str, str], body: bytes) -> int:
        got.append((headers, body))
        return 200

    stage.rz.deliver.register(endpoint, secret="")
    _fail(stage)
    stage.rz.clock.advance(1)

    (headers, body), *rest = got
    assert rest == []
    assert "X-Razorpay-Signature" not in headers
    assert len(headers["X-Razorpay-Event-Id"]) == 14
    assert json.loads(body)["event"] == "payment.failed"


@scenario("RH-15")
def test_test_event_at_the_live_endpoint() -> None:
    """Another mode has another secret and another account: its signature does not fit, nor does its account id."""
    test, live = Stage(seed=1), Stage(seed=2)
    hook = test.hook()
    _fail(test)
    test.rz.clock.advance(1)

    assert _signed(hook.got[0], test.rz.webhook_secret)
    assert not _signed(hook.got[0], live.rz.webhook_secret)
    assert json.loads(hook.got[0][1])["account_id"] == test.rz.account_id != live.rz.account_id


@scenario("RH-16")
def test_support_replays_an_old_event() -> None:
    """Under 15 days old: same id, same bytes, the signature of that time. Older ones are refused."""
    stage = Stage()
    hook = stage.hook()
    old = stage.rz.webhook_secret
    _fail(stage)
    stage.rz.clock.advance(14 * DAY_S)
    stage.rz.rotate_webhook_secret("another-secret")
    stage.rz.deliver.replay(hook.ids[0], by="support")
    stage.rz.clock.advance(1)

    assert hook.got[1] == hook.got[0]
    assert _signed(hook.got[1], old)
    stage.rz.clock.advance(DAY_S)
    with pytest.raises(ConfigError, match="15 days"):
        stage.rz.deliver.replay(hook.ids[0], by="support")


@scenario("RH-12")
def test_unknown_event_and_entity() -> None:
    """An event that nobody knows, with an entity that nobody knows, is signed and delivered like any other."""
    stage = Stage()
    hook = stage.hook()
    rocket = {"id": "rkt_00000000000001", "entity": "rocket"}
    payment = stage.payment(stage.captured())
    body = {
        "entity": "event",
        "account_id": stage.rz.account_id,
        "event": "payment.launched",
        "contains": ["payment", "rocket"],
        "payload": {"payment": {"entity": payment}, "rocket": {"entity": rocket}},
        "created_at": stage.rz.clock.unix(),
    }
    sent = stage.rz.send_event(body)
    stage.rz.clock.advance(1)

    assert stage.fired() == ["payment.launched"]
    assert hook.names == [*TRIO, "payment.launched"]
    assert (hook.ids[-1], json.loads(hook.got[-1][1])) == (sent.id, body)
    assert _signed(hook.got[-1], stage.rz.webhook_secret)
    with pytest.raises(ConfigError, match="event"):
        stage.rz.send_event({"entity": "event"})


@scenario("RH-13")
def test_shapes_that_slip() -> None:
    """created_at inside payload, none at all, and fewer names in ``contains`` than in ``payload``."""
    stage = Stage()
    hook = stage.hook()
    whole = factories.event("order.paid")
    inside = {**whole, "payload": {**whole["payload"], "created_at": whole["created_at"]}}
    del inside["created_at"]
    none = {key: value for key, value in whole.items() if key != "created_at"}
    short = {**whole, "contains": whole["contains"][:1]}
    assert len(whole["payload"]) == 2
    for body in (inside, none, short):
        stage.rz.send_event(body)
    stage.rz.clock.advance(1)

    assert [json.loads(body) for _, body in hook.got] == [inside, none, short]
    assert all(_signed(one, stage.rz.webhook_secret) for one in hook.got)
    assert len(set(hook.ids)) == 3


@scenario("RH-14")
def test_event_from_an_unlisted_address() -> None:
    """Over HTTP the emulator's webhooks come from this machine, which is not among the published addresses."""
    came: list[str] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.client_address[0])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        stage = Stage(webhook_url=f"http://127.0.0.1:{server.server_port}/")
        _fail(stage)
        stage.rz.clock.advance(1)
        thread.join()

    assert stage.rz.deliver.log[0].status == 200
    assert came == ["127.0.0.1"]
    assert not any(ip_address(came[0]) in ip_network(listed) for listed in webhook_sources().networks)


@pytest.mark.parametrize("name", ["account.activated", "product.route.activated"])
@scenario("ONB-sig")
def test_partner_webhook_has_its_own_secret(name: str) -> None:
    """The first attempt is tampered with or wrongly signed, the retry is genuine, and the API secret fits neither."""
    for damage in ("tampered", "wrong_secret"):
        stage = Stage(deliveries=Deliveries(delay_s=(0, 0)))
        hook = Hook(400, 200)
        partner = stage.rz.deliver.register(hook, secret="partner-secret", events=[name])
        stage.rz.faults.add(f"on EVENT {name}: {damage} once")
        stage.rz.send_event(factories.event(name))
        stage.rz.clock.advance(10)

        assert hook.names == [name, name]
        assert [_signed(one, "partner-secret") for one in hook.got] == [False, True]
        assert not _signed(hook.got[1], stage.rz.key_secret)
        assert not _signed(hook.got[1], stage.rz.webhook_secret)
        assert partner.events is not None


@scenario("ONB-rep")
def test_partner_webhook_is_retried_and_repeated() -> None:
    """Again after a 500, again though acknowledged, an older one after a newer one, and nothing after a day."""
    stage = Stage()
    hook = stage.hook(500, 200)
    older = factories.event("product.route.under_review")
    newer = factories.event("product.route.activated")
    stage.rz.faults.add("on EVENT product.route.under_review: late(60)\non EVENT product.route.activated: doubled")
    stage.rz.send_event(older)
    stage.rz.send_event(newer)
    stage.rz.clock.advance(3 * 3600)

    under_review = hook.names.index("product.route.under_review")
    assert hook.names[:under_review].count("product.route.activated") >= 2
    assert hook.names.count("product.route.activated") == 3
    assert len(set(hook.ids)) == 2
    stage.rz.faults.clear()
    down = stage.hook(500)
    stage.rz.send_event(newer)
    stage.rz.clock.advance(DAY_S)
    attempts = len(down.got)
    stage.rz.clock.advance(DAY_S)
    assert attempts == len(down.got) == len(LADDER_S) + 1


@scenario("ONB-rev")
def test_access_is_withdrawn() -> None:
    """The app's token dies with the account's consent; the event has neither entity nor payload."""
    stage = Stage()
    hook = stage.hook()
    token = {"Authorization": f"Bearer {stage.rz.access_token}"}
    before = stage.rz.request("GET", "/v1/orders", headers=token).status
    stage.rz.revoke_access()
    error = stage.error("GET", "/orders", status=401, headers=token)
    stage.rz.clock.advance(1)

    assert (before, error["description"]) == (200, "Authentication failed")
    assert hook.names == ["account.app.authorization_revoked"]
    assert set(json.loads(hook.got[0][1])) == {"event", "account_id", "contains", "created_at"}
    assert stage.get("/orders")["count"] == 0
