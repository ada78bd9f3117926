"""Calls in the name of others, and calls with a token: by both clients, over real connections.

The emulator knows partners (with ``X-Razorpay-Account``) and OAuth tokens (FACTS section 1), and refuses all else.
"""

from __future__ import annotations

import asyncio
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from razorpay_hardened import AsyncClient, Client, Money
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiAuthError, ApiBadRequest, ApiError, ConfigError, IdMalformed
from support.rules import order, payment
from support.rules_money import ACCOUNT, linked

pytest.importorskip("aiohttp", reason="the asynchronous client needs aiohttp")

INR = Money.inr("499.00")
PICTURE = b"\x89PNG\r\n--x--\xff\x00" * 10_000


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


Way = Callable[..., Any]
"""``way(rz, credentials, work)``: the result of ``work(client)``, awaited where need be; ``work`` is one call."""


def _blocking(rz: Emulator, credentials: dict[str, Any], work: Callable[[Any], Any]) -> Any:
    with Client(**credentials, base_url=rz.url) as client:
        return work(client)


def _awaited(rz: Emulator, credentials: dict[str, Any], work: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        async with AsyncClient(**credentials, base_url=rz.url) as client:
            return await work(client)

    return asyncio.run(run())


both = pytest.mark.parametrize("way", [_blocking, _awaited], ids=["blocking", "awaited"])


def partner(rz: Emulator) -> dict[str, Any]:
    key_id, key_secret = rz.partner
    return {"key_id": key_id, "key_secret": key_secret}


def token(rz: Emulator) -> dict[str, Any]:
    return {"access_token": rz.access_token}


# --- in the name of a sub-merchant ----------------------------------------------------------------------------------


@both
def test_a_partner_calls_for_a_sub_merchant(rz: Emulator, way: Way) -> None:
    """With the account named each call is that account's; without it, or for a stranger's, it is refused."""
    mine = rz.account_id
    made = way(rz, partner(rz), lambda client: client.with_options(account_id=mine).orders.create(amount=INR))
    theirs = linked(rz)

    assert made.id in rz.world.orders
    assert way(rz, partner(rz), lambda client: client.with_options(account_id=theirs).orders.fetch(made.id)) == made
    with pytest.raises(ApiAuthError):
        way(rz, partner(rz), lambda client: client.orders.fetch(made.id))
    with pytest.raises(ApiAuthError):  # None ends it
        way(
            rz,
            partner(rz),
            lambda client: client.with_options(account_id=mine).with_options(account_id=None).orders.fetch(made.id),
        )
    with pytest.raises(ApiBadRequest):
        way(rz, partner(rz), lambda client: client.with_options(account_id="acc_AAAAAAAAAAAAAA").orders.fetch(made.id))


@both
def test_an_account_id_is_checked_before_it_is_a_header(rz: Emulator, way: Way) -> None:
    """Nothing can be smuggled in."""
    for bad in ("acc_1\r\nX-Evil: 1", "GRWKk7qQsLnDjX", "", 5):
        with pytest.raises(IdMalformed):
            way(rz, partner(rz), lambda client, bad=bad: client.with_options(account_id=bad).orders.list())


@both
@pytest.mark.parametrize(
    ("arrange", "act"),
    [
        (lambda rz: payment(rz, "authorized"), lambda client, paid: client.payments.capture(paid, INR)),
        (lambda rz: "inv-42", lambda client, receipt: client.orders.create(amount=INR, receipt=receipt)),
        (lambda rz: rz.dispute(payment(rz), 40_000)["id"], lambda client, dispute: client.disputes.accept(dispute)),
        (linked, lambda client, account: client.transfers.create(account, Money.inr("5.00"))),
    ],
    ids=["capture", "order", "dispute", "transfer"],
)
def test_looks_and_repeats_are_made_in_the_same_name(
    rz: Emulator, way: Way, arrange: Callable[[Emulator], Any], act: Callable[[Any, Any], Any]
) -> None:
    """A lost answer is settled for the same account: each request names it, or the partner would be refused."""
    arranged = arrange(rz)
    [lost] = rz.faults.add("on POST *: do_then_reset once")
    answered: list[int] = []

    def once(client: Any) -> Any:
        named = client.with_options(account_id=rz.account_id, on_response=lambda told: answered.append(told.status))
        return act(named, arranged)

    way(rz, partner(rz), once)

    assert lost.fired
    assert answered
    assert set(answered) == {200}


# --- with a token ---------------------------------------------------------------------------------------------------


@both
def test_a_token_calls_until_it_is_withdrawn(rz: Emulator, way: Way) -> None:
    """Reads, writes, files out and files in; then it is refused, and nothing of it is told."""
    access = rz.access_token
    order_id = order(rz)
    document = way(rz, token(rz), lambda client: client.documents.create(PICTURE, name="proof.png"))

    assert way(rz, token(rz), lambda client: client.orders.fetch(order_id)).id == order_id
    assert way(rz, token(rz), lambda client: client.documents.content(document.id)) == PICTURE
    assert way(rz, token(rz), lambda client: client.accounts.create(**ACCOUNT)).email == ACCOUNT["email"]

    old = token(rz)
    rz.revoke_access()
    with pytest.raises(ApiAuthError) as caught:
        way(rz, old, lambda client: client.orders.fetch(order_id))
    assert access not in str(caught.value) + repr(vars(caught.value))


@both
def test_a_wrong_token_is_refused(rz: Emulator, way: Way) -> None:
    """As an error about credentials, sent once."""
    with pytest.raises(ApiAuthError) as caught:
        way(rz, {"access_token": "not-the-token-of-anybody"}, lambda client: client.orders.list())

    assert caught.value.attempts == 1


TOKEN = "oauth/canary+token=for-this-test"


@both
@pytest.mark.parametrize("fault", ["reset_before", "hang", "500", "html", "truncate"])
@pytest.mark.parametrize("call", ["orders.list", "orders.create", "documents.create"])
def test_a_token_is_in_no_frame_and_in_no_error(rz: Emulator, way: Way, fault: str, call: str) -> None:
    """A crash reporter that writes down the variables of every frame finds nothing, whatever went wrong."""
    calls = {
        "orders.list": lambda client: client.orders.list(),
        "orders.create": lambda client: client.orders.create(amount=INR),
        "documents.create": lambda client: client.documents.create(PICTURE, name="proof.png"),
    }
    rz.world.account.access_token = TOKEN
    rz.faults.add(f"on * *: {fault} always")
    given = {"access_token": TOKEN, "read_timeout_s": 0.2, "total_timeout_s": 1, "max_attempts": 1}

    with pytest.raises(ApiError) as caught:
        way(rz, given, calls[call])

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in told.stack if "razorpay_hardened/client/" in frame.filename]
    assert ours
    assert not [frame for frame in ours if frame.locals and TOKEN in repr(frame.locals)]
    assert TOKEN not in str(caught.value) + repr(caught.value) + repr(vars(caught.value))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_token_shows_itself_nowhere_and_stays_here(client: Any) -> None:
    """Not in a repr; not in a pickle; and to no host but Razorpay's and this machine's."""
    made = client(access_token=TOKEN, base_url="http://127.0.0.1:1")
    assert TOKEN not in repr(made) + repr(made._settings) + repr(made._options) + repr(made._settings.credentials)
    for secret in (made, made._settings.credentials):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(secret)

    for url in (
        "https://evil.example",
        "https://api.razorpay.com.evil.example",
        "https://api.razorpay.com@evil.example",
        "https://evil.example/api.razorpay.com",
        "http://api.razorpay.com",
        "http://10.0.0.1",
        "https://127.0.0.1.evil.example",
    ):
        with pytest.raises(ConfigError) as caught:
            client(access_token=TOKEN, base_url=url)
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        told.stack[:] = told.stack[1:]  # this test's own frame
        assert TOKEN not in "".join(told.format())
