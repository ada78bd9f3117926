"""The emulator's door, clock, control face and in-process transport."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from razorpay_hardened.emulator import DEFAULT_START, Emulator, Reply, Request
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.settings import Settings

ORDER = {"amount": 50000, "currency": "INR", "receipt": "r-1"}


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def basic(user: str, secret: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"}


def test_the_right_key_opens(rz: Emulator) -> None:
    """Header names are case-insensitive; the right key and secret are let in."""
    headers = {"AUTHORIZATION": basic(rz.key_id, rz.key_secret)["Authorization"]}

    assert rz.world.handle(Request("GET", "/v1/orders", "", headers)).status == 200


@pytest.mark.parametrize("case", ["none", "key", "secret", "scheme", "garbage", "no colon", "not ascii"])
def test_wrong_keys(rz: Emulator, case: str) -> None:
    """Everything but the exact scheme, key and secret is 401 in the envelope, and never says the secret."""
    headers = {
        "none": {},
        "key": basic("rzp_test_other", rz.key_secret),
        "secret": basic(rz.key_id, "wrong"),
        "scheme": basic(rz.key_id, rz.key_secret, "basic"),
        "garbage": {"Authorization": "Basic %%%"},
        "no colon": {"Authorization": "Basic " + base64.b64encode(rz.key_id.encode()).decode()},
        "not ascii": {"Authorization": "Basic é"},
    }[case]
    reply = rz.world.handle(Request("POST", "/v1/orders", "", headers, json.dumps(ORDER).encode()))
    error = reply.json()["error"]

    assert (reply.status, error["code"], error["source"]) == (401, "BAD_REQUEST_ERROR", "NA")
    assert rz.key_secret.encode() not in reply.body
    assert rz.world.orders == {}


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_objects(rz: Emulator, body: bytes) -> None:
    """A body that is not a JSON object is 400."""
    headers = basic(rz.key_id, rz.key_secret)

    assert rz.world.handle(Request("POST", "/v1/orders", "", headers, body)).status == 400


def test_trailing_slash(rz: Emulator) -> None:
    """The documentation's own paths end in a slash here and there."""
    order = rz.request("POST", "/v1/orders/", ORDER).json()

    assert rz.request("GET", f"/v1/orders/{order['id']}/").json() == order


def test_unknown_verbs(rz: Emulator) -> None:
    """A verb that an endpoint does not have is an unknown URL."""
    assert rz.request("DELETE", "/v1/orders").status == 400


def test_names_come_from_the_seed() -> None:
    """Keys, account and ids are functions of the seed, well formed, and differ between seeds."""
    one, again, other = (Emulator(seed, in_process=True) for seed in (1, 1, 2))

    assert (one.key_id, one.key_secret, one.webhook_secret, one.account_id) == (
        again.key_id,
        again.key_secret,
        again.webhook_secret,
        again.account_id,
    )
    assert one.key_id.startswith("rzp_test_")
    assert one.account_id.startswith("acc_")
    assert len({one.key_id, other.key_id, one.key_secret, other.key_secret, one.webhook_secret}) == 5


def test_keys_may_be_given() -> None:
    """A fixed key id and fixed secrets are used as they are."""
    rz = Emulator(in_process=True, key_id="rzp_test_mine", key_secret="s" * 20, webhook_secret="w" * 20)

    assert (rz.key_id, rz.key_secret, rz.webhook_secret) == ("rzp_test_mine", "s" * 20, "w" * 20)


def test_secrets_stay_out_of_sight(rz: Emulator) -> None:
    """No representation and no state shows a secret."""
    order = rz.request("POST", "/v1/orders", ORDER).json()
    rz.pay(order["id"])
    shown = repr(rz) + repr(rz.world) + repr(rz.world.account) + repr(rz.world.events) + repr(rz.deliver.pending())
    shown += json.dumps(rz.state())

    assert rz.key_secret not in shown
    assert rz.webhook_secret not in shown


def test_clock() -> None:
    """Time is aware, starts where told, and moves only forward and only when told."""
    start = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)
    clock = Emulator(in_process=True, start=start).clock
    clock.advance(1.5)

    assert clock.now() == start + timedelta(seconds=1.5)
    assert (clock.unix(), clock.monotonic()) == (int(start.timestamp()) + 1, 1.5)
    with pytest.raises(ConfigError, match="forward"):
        clock.advance(-1)
    with pytest.raises(ConfigError, match="aware"):
        Emulator(in_process=True, start=datetime(2026, 3, 1))


def test_things_happen_in_the_order_of_their_time(rz: Emulator) -> None:
    """What is planned runs in time order, ties in the order of planning, each at its own time."""
    seen: list[tuple[str, float]] = []

    def note(name: str) -> Any:
        return lambda: seen.append((name, rz.clock.monotonic()))

    base = rz.clock.ms
    rz.clock.plan(base + 3000, note("c"))
    rz.clock.plan(base + 1000, note("a"))
    rz.clock.plan(base + 1000, note("b"), outside=True)
    rz.clock.advance(2)
    first = list(seen)
    rz.clock.advance(2)

    assert first == [("a", 1.0), ("b", 1.0)]
    assert seen[2:] == [("c", 3.0)]


def test_no_address_before_the_start() -> None:
    """The URL is known once the emulator listens; in process it is a name that never resolves."""
    with pytest.raises(ConfigError, match="start"):
        _ = Emulator().url

    assert Emulator(in_process=True).url == "https://emulator.invalid"


# --- the in-process transport --------------------------------------------------------------------------------


def post(session: requests.Session, rz: Emulator, **more: Any) -> requests.Response:
    return session.post(f"{rz.url}/v1/orders", json=ORDER, auth=(rz.key_id, rz.key_secret), **more)


def test_session_answers_in_process(rz: Emulator) -> None:
    """A requests session reaches the world for any host, with status, headers and JSON."""
    with rz.session() as session:
        made = post(session, rz)
        listed = session.get("https://api.razorpay.com/v1/orders", params={"count": 1}, auth=(rz.key_id, rz.key_secret))
        refused = session.get(f"{rz.url}/v1/orders")

    assert (made.status_code, made.headers["content-type"]) == (200, "application/json")
    assert listed.json()["items"] == [made.json()]
    assert refused.status_code == 401


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("hang", requests.exceptions.ReadTimeout, 0),
        ("do_then_hang", requests.exceptions.ReadTimeout, 1),
        ("slow(10)", requests.exceptions.ReadTimeout, 1),
        ("reset_before", requests.exceptions.ConnectionError, 0),
        ("do_then_reset", requests.exceptions.ConnectionError, 1),
        ("truncate(5)", requests.exceptions.ChunkedEncodingError, 1),
        ("html", requests.exceptions.JSONDecodeError, 1),
    ],
)
def test_faults_raise_what_requests_would(rz: Emulator, fault: str, error: type[Exception], made: int) -> None:
    """Each transport fault raises at once, without waiting, and did or did not do the work."""
    rz.faults.add(f"on POST /orders: {fault} once")
    with rz.session() as session:
        with pytest.raises(error):
            post(session, rz, timeout=(3, 5)).json()
        assert len(rz.world.orders) == made
        assert post(session, rz, timeout=5).status_code == 200


def test_slow_within_the_timeout(rz: Emulator) -> None:
    """A slow answer that comes in time is an answer."""
    rz.faults.add("on POST /orders: slow(3)")
    with rz.session() as session:
        assert post(session, rz, timeout=5).status_code == 200
        assert post(session, rz).status_code == 200


# --- the control face ------------------------------------------------------------------------------------------


def call(rz: Emulator, method: str, name: str, body: object = None) -> Reply:
    data = b"" if body is None else json.dumps(body).encode()
    return rz.handle(Request(method, f"/_emulator/{name}", "", {}, data))


def test_control_pays_and_signs(rz: Emulator) -> None:
    """Another process can pay and get Checkout's form."""
    order = rz.request("POST", "/v1/orders", ORDER).json()
    payment = call(rz, "POST", "pay", {"order_id": order["id"], "vpa": "success@razorpay"}).json()
    form = call(rz, "POST", "checkout_form", {"payment_id": payment["id"]}).json()

    assert payment["status"] == "captured"
    assert form == rz.checkout_form(payment["id"])


def test_control_moves_time_and_delivers(rz: Emulator) -> None:
    """Time and deliveries can be driven from outside."""
    order = rz.request("POST", "/v1/orders", ORDER).json()
    rz.pay(order["id"])
    rz.deliver.to(lambda method, headers, body: 200)
    before = call(rz, "GET", "clock").json()
    after = call(rz, "POST", "clock/advance", {"seconds": 0.001}).json()
    attempts = call(rz, "POST", "deliver", {"flush": True}).json()["attempts"]

    assert before == {"now": "2026-01-05T03:30:00+00:00", "unix": int(DEFAULT_START.timestamp())}
    assert after["now"] > before["now"]
    assert len(attempts) + len(rz.deliver.log) >= 3
    assert call(rz, "POST", "deliver").json() == {"attempts": []}


def test_control_sets_faults_and_webhook(rz: Emulator) -> None:
    """Faults are added, listed and cleared; a webhook URL is set and unset."""
    assert call(rz, "POST", "faults", {"add": "on POST /orders: 500"}).json() == {"faults": ["on POST /orders: 500"]}
    assert call(rz, "GET", "faults").json()["faults"] != []
    assert call(rz, "POST", "faults", {"clear": True}).json() == {"faults": []}
    assert call(rz, "POST", "webhook_url", {"url": "http://127.0.0.1:9/hook"}).status == 200
    assert call(rz, "POST", "webhook_url", {"url": None}).json() == {"url": None}


def test_control_shows_the_state(rz: Emulator) -> None:
    """The state holds every object, the events and what waits, as JSON."""
    order = rz.request("POST", "/v1/orders", ORDER).json()
    payment = rz.pay(order["id"])
    rz.refund(payment["id"], 500)
    state = call(rz, "GET", "state").json()

    assert state == rz.state()
    assert set(state["orders"]) == {order["id"]}
    assert (len(state["payments"]), len(state["refunds"]), len(state["events"])) == (1, 1, 4)
    assert len(state["pending"]) == 4


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nothing", {}, 404),
        ("pay", {"order_id": "order_00000000000000"}, 400),
        ("pay", {"colour": "red"}, 400),
        ("pay", [], 400),
        ("clock/advance", {}, 400),
        ("clock/advance", {"seconds": "soon"}, 400),
        ("clock/advance", {"seconds": -1}, 400),
        ("faults", {"add": "nonsense"}, 400),
        ("webhook_url", {"url": "gopher://x"}, 400),
        ("checkout_form", {"payment_id": "pay_00000000000000"}, 400),
    ],
)
def test_control_mistakes(rz: Emulator, name: str, body: object, status: int) -> None:
    """A mistake is answered with its reason, never with a traceback."""
    reply = call(rz, "POST", name, body)

    assert reply.status == status
    assert reply.json()["error"]["description"]


def test_environment_for_the_library(rz: Emulator) -> None:
    """The library's settings accept what the emulator gives, and find its keys there."""
    settings = Settings.from_env({**rz.environ(), "RAZORPAY_STORE_URL": "memory://"})

    assert settings.key_id == rz.key_id
    assert settings.base_url == rz.url
