"""One Razorpay account for tests, demos and CI: a world, its webhooks, and the faces it shows."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from razorpay_hardened.emulator import _bank, _events, _hash, _payments, _refunds, _settle, instruments
from razorpay_hardened.emulator._acts import Acts
from razorpay_hardened.emulator._events import Event
from razorpay_hardened.emulator.deliver import Deliverer, Deliveries
from razorpay_hardened.emulator.options import Options
from razorpay_hardened.emulator.wire import Call, Entity, Reply, Request, refusal
from razorpay_hardened.emulator.world import Account, World
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing import sign_checkout_for_test

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import requests
    from requests.adapters import BaseAdapter

    from razorpay_hardened.emulator._http import Server

__all__ = ["DEFAULT_START", "Emulator"]

DEFAULT_START = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
"""A Monday, nine in the morning in India."""

_IN_PROCESS_URL = "https://emulator.invalid"  # a name that never resolves: a forgotten session cannot reach anybody


class Emulator(Acts):
    """A deterministic Razorpay. ``with Emulator() as rz:`` serves HTTP on a free loopback port; ``in_process=True``
    opens no socket: use :meth:`session` or :meth:`request`.

    ``seed`` decides every id, secret, delay and toss. ``start`` is the virtual time at which it begins. Deliveries go
    to ``webhook_url`` or to what ``deliver.to`` is given. With ``tls`` (a server's context) the HTTP face is
    HTTPS. Raises :class:`ConfigError` for settings it cannot use.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        in_process: bool = False,
        port: int = 0,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        start: datetime = DEFAULT_START,
        webhook_url: str | None = None,
        deliveries: Deliveries | None = None,
        options: Options | None = None,
        key_id: str | None = None,
        key_secret: str | None = None,
        webhook_secret: str | None = None,
    ) -> None:
        account = Account(seed, key_id=key_id, key_secret=key_secret, webhook_secret=webhook_secret)
        self.world = World(seed, start, account, options)
        self.clock = self.world.clock
        self.faults = self.world.faults
        self.deliver = Deliverer(self.world, deliveries or Deliveries())
        self.in_process = in_process
        self.said: tuple[str, bool] = ("", False)  # what the dashboard has to say next, and whether it is bad news
        self._address = (host, port)
        self._tls = tls
        self._server: Server | None = None
        if webhook_url is not None:
            self.deliver.to_url(webhook_url)

    def __repr__(self) -> str:
        return f"<Emulator seed={self.world.seed} {self.key_id}>"

    # --- the account --------------------------------------------------------------------------------------------

    @property
    def key_id(self) -> str:
        """The API key's id, ``rzp_test_…``."""
        return self.world.account.key_id

    @property
    def key_secret(self) -> str:
        """The API key's secret."""
        return self.world.account.key_secret

    @property
    def webhook_secret(self) -> str:
        """The secret that signs new events."""
        return self.world.account.webhook_secret

    @property
    def account_id(self) -> str:
        """``acc_…``, as events carry it."""
        return self.world.account.id

    @property
    def access_token(self) -> str:
        """An OAuth token for the account: ``Authorization: Bearer …``."""
        return self.world.account.access_token

    @property
    def partner(self) -> tuple[str, str]:
        """The id and secret of a partner who acts for the account, with ``X-Razorpay-Account``."""
        return self.world.account.partner_id, self.world.account.partner_secret

    def environ(self) -> dict[str, str]:
        """The environment variables that point the library at this account. Holds its secrets: do not print it."""
        return {
            "RAZORPAY_KEY_ID": self.key_id,
            "RAZORPAY_KEY_SECRET": self.key_secret,
            "RAZORPAY_WEBHOOK_SECRET": self.webhook_secret,
            "RAZORPAY_BASE_URL": self.url,
        }

    def rotate_webhook_secret(self, secret: str) -> None:
        """Sign new events with ``secret``; what is already on its way keeps the old signature (FACTS section 10)."""
        with self.world.lock:
            self.world.account.webhook_secret = secret

    def regenerate_key(self, *, old_lives_s: float = 0) -> None:
        """Another API key pair, made from the seed. The old one dies at once, or ``old_lives_s`` later: a day where
        the account was told so (FACTS section 1). New Checkout signatures are made with the new secret."""
        with self.world.lock:
            nth = len(self.world.account.retired) + 1
            key_id = f"rzp_test_{_hash.token(self.world.seed, 'key', nth)}"
            secret = _hash.token(self.world.seed, "key secret", nth, length=24)
            self.world.account.replace_key(key_id, secret, self.clock.ms + round(old_lives_s * 1000))

    def revoke_access(self) -> Event:
        """The account withdraws the access of the app that holds :attr:`access_token`: it is refused from now on."""
        with self.world.lock:
            account = self.world.account
            account.access_token = f"rzp_test_oauth_{_hash.token(self.world.seed, 'revoked', account.access_token)}"
            name = "account.app.authorization_revoked"  # the one body without entity and payload
            created = self.clock.unix()
            return self.send_event({"event": name, "account_id": account.id, "contains": [], "created_at": created})

    def send_event(self, body: Entity) -> Event:
        """An event that no act makes, of a product that is not emulated or of a shape to come: the body is sent as it
        is, signed and delivered like any other. Raises :class:`ConfigError` where it does not name its ``event``."""
        if not isinstance(body.get("event"), str) or not body["event"]:
            raise ConfigError('an event\'s body has the field "event", which is its name')
        with self.world.lock:
            event = _events.given(self.world, body)
            self.world.announce(event)
            return event

    # --- faces --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL for a client, without ``/v1``. Raises :class:`ConfigError` before :meth:`start`."""
        if self.in_process:
            return _IN_PROCESS_URL
        if self._server is None:
            raise ConfigError("the emulator has no address yet: use it in a with statement, or call start()")
        return self._server.url

    def start(self) -> Self:
        """Open the HTTP face, unless in process. Raises :class:`ConfigError` where the address cannot be had."""
        if not self.in_process and self._server is None:
            from razorpay_hardened.emulator._http import Server

            self._server = Server(self, *self._address, tls=self._tls)
        return self

    def close(self) -> None:
        """Close the HTTP face and every connection that hangs. The world stays readable."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def handle(self, request: Request) -> Reply:
        """Answer one call: the API, Checkout, or the control face and the pages under ``/_emulator/``."""
        from razorpay_hardened.emulator import _control, _page

        if request.path.startswith(_control.PREFIX):
            return _control.control(self, request)
        if (request.method, request.path) == ("GET", _page.SCRIPT_PATH):
            return _page.script()
        if (request.method, request.path) == ("POST", _page.HOSTED_PATH):
            return _page.hosted(request)
        return self.world.handle(request)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One API call with the account's own key, without any transport: ``rz.request("GET", "/v1/orders")``."""
        token = b64encode(f"{self.key_id}:{self.key_secret}".encode()).decode("ascii")
        sent = {"Authorization": f"Basic {token}", "Content-Type": "application/json", **(headers or {})}
        data = b"" if body is None else json.dumps(body).encode()
        return self.handle(Request(method, path, urlencode(query or {}, doseq=True), sent, data))

    def adapter(self) -> BaseAdapter:
        """A ``requests`` transport adapter that answers in process."""
        from razorpay_hardened.emulator.adapter import InProcessAdapter

        return InProcessAdapter(self)

    def session(self) -> requests.Session:
        """A ``requests.Session`` whose every call is answered in process, whatever its host."""
        from razorpay_hardened.emulator.adapter import session

        return session(self)

    def aiohttp_session(self) -> aiohttp.ClientSession:
        """An ``aiohttp.ClientSession`` whose every call is answered in process, whatever its host.

        Make it inside the event loop that uses it, and close it there, best with ``async with``. Raises
        :class:`ExtraMissing` without aiohttp.
        """
        from razorpay_hardened.emulator.connector import session

        return session(self)

    # --- the customer ---------------------------------------------------------------------------------------------

    def pay(
        self,
        order_id: str | None,
        method: str = "upi",
        *,
        card: str | None = None,
        vpa: str | None = None,
        outcome: str | None = None,
        otp: str | None = None,
        amount: int | None = None,
        currency: str | None = None,
        concurrent: bool = False,
        late_after_s: float = 3600,
        email: str = "customer@example.com",
        contact: str = "+919000090000",
        notes: dict[str, str] | None = None,
    ) -> Entity:
        """The customer pays; returns the payment (a copy, with its card). ``amount`` is in subunits.

        ``outcome`` None lets the instrument decide (published test cards and UPI ids), and order and account decide
        about capturing. ``captured`` and ``authorized`` override them; ``failed`` fails now; ``created`` gets no
        answer and fails after ten minutes; ``late`` does too and is authorised ``late_after_s`` seconds after that.
        ``otp`` is what a card's customer types: 4 to 10 digits are right, fewer are wrong, as in Razorpay's test mode.
        ``concurrent`` pays although the order is paid or another payment is authorised, as from a second tab.

        Raises :class:`ApiBadRequest` as Checkout would be refused, :class:`ConfigError` for unknown wishes.
        """
        if outcome is not None and outcome not in instruments.OUTCOMES:
            raise ConfigError(f"an outcome is one of {', '.join(instruments.OUTCOMES)}; not {outcome!r}")
        if amount is not None and (type(amount) is not int or amount < 1):
            raise ConfigError("the amount of a payment is a positive number of subunits")
        with self.world.lock:
            order = self._payable(order_id, concurrent)
            due, unit = self._due(order, amount, currency)
            instrument = instruments.choose(method=method, card=card, vpa=vpa, amount=due)
            person: Entity = {"email": email, "contact": contact, "notes": notes or []}
            payment = _bank.begin(self.world, order, instrument, due, unit, **person)
            if outcome is None and otp is not None and _refused_otp(instrument, otp):
                _bank.fail(self.world, payment, instruments.WRONG_OTP)
            else:
                self._resolve(payment, instrument, outcome, late_after_s)
            if payment["status"] == "created":
                self.world.private[payment["id"]]["instrument"] = instrument
            return dict(payment)

    def begin(self, order_id: str | None, method: str = "upi", **wishes: Any) -> Entity:
        """The customer has pressed Pay and sees the bank's page: a payment in status ``created``.

        ``wishes`` as for :meth:`pay`, without ``outcome`` and ``otp``. Unless :meth:`finish` is called, it fails after
        ten minutes, as when the window is closed there.
        """
        return self.pay(order_id, method, outcome="created", **wishes)

    def finish(self, payment_id: str, answer: str = "success", *, otp: str | None = None) -> Entity:
        """What the customer does at the bank's page: ``success``, ``failure``, ``silence`` or ``cancel``.

        An instrument that fails does so with its own reason. ``silence`` leaves the payment ``created``: it fails
        after ten minutes and is authorised an hour later. To cancel is for UPI only, and counts as success in test
        mode. Raises :class:`ApiBadRequest` for a payment that does not wait for the bank, :class:`ConfigError` for
        another answer.
        """
        if answer not in instruments.ANSWERS:
            raise ConfigError(f"the bank's page knows {', '.join(instruments.ANSWERS)}; not {answer!r}")
        with self.world.lock:
            payment = self.world.payments.get(payment_id)
            instrument = self.world.private.get(payment_id, {}).get("instrument")
            if payment is None or instrument is None or payment["status"] != "created":
                raise refusal("The payment does not wait for an answer")  # text: not published
            if answer == "cancel" and instrument.method != "upi":
                raise ConfigError("only UPI payments are cancelled at the bank's page: close the window instead")
            if answer == "success" and instrument.failure is None and _refused_otp(instrument, otp or ""):
                _bank.fail(self.world, payment, instruments.WRONG_OTP)
            else:
                self._resolve(payment, instrument, {"failure": "failed", "silence": "late"}.get(answer), 3600)
            if payment["status"] != "created":
                del self.world.private[payment_id]["instrument"]
            return dict(payment)

    def _payable(self, order_id: str | None, concurrent: bool) -> Entity | None:
        if order_id is None:
            return None
        order = self.world.orders.get(order_id)
        if order is None:
            raise refusal("The id provided does not exist")
        held = [self.world.payments[one]["status"] for one in self.world.order_payments[order_id]]
        if self.world.options.attempts_per_order is not None and len(held) >= self.world.options.attempts_per_order:
            raise refusal("The order takes no further payment")  # text: not published
        if not concurrent and (order["status"] == "paid" or "authorized" in held):
            raise refusal(_payments.ALREADY_PAID, reason="order_already_paid")
        return order

    def _due(self, order: Entity | None, amount: int | None, currency: str | None) -> tuple[int, str]:
        """What this payment is over. Another amount than the order's is let through: somebody may tamper with it."""
        if order is None:
            if amount is None:
                raise ConfigError("a payment without an order needs an amount")
            return amount, currency or "INR"
        due: int = order["amount_due"] or order["amount"]
        terms = self.world.terms[order["id"]]
        if terms.partial and amount is not None and amount > due:
            raise refusal("The amount is greater than the amount due on the order", field="amount")  # unpublished
        if terms.first_minimum and not order["amount_paid"] and (amount or due) < min(terms.first_minimum, due):
            raise refusal("The amount is less than the first payment's minimum", field="amount")  # unpublished
        return (due if amount is None else amount), currency or order["currency"]

    def _resolve(
        self, payment: Entity, instrument: instruments.Instrument, outcome: str | None, late_after_s: float
    ) -> None:
        failure = instrument.failure if outcome is None else None
        if outcome == "failed":
            fallback = instruments.CARD_FAILURE if instrument.card else instruments.PLAIN_FAILURE
            failure = instrument.failure or fallback
        if failure is not None:
            _bank.fail(self.world, payment, failure)
        elif instrument.method == "cod" and outcome is None:
            _bank.pend(self.world, payment)
        elif outcome in ("late", "created"):
            answers = late_after_s if outcome == "late" else None
            _bank.abandon(self.world, payment, answers_after_s=answers, capture_it=None)
        else:
            wish = {"captured": True, "authorized": False}.get(outcome or "")
            _bank.authorize(self.world, payment, capture_it=wish)

    def bank_answers(self, payment_id: str, outcome: str = "authorized") -> Entity:
        """The bank's late word on a payment that is created or failed: ``authorized``, ``captured`` or ``failed``."""
        with self.world.lock:
            payment = self.world.payments.get(payment_id)
            if payment is None or payment["status"] not in ("created", "failed"):
                raise ConfigError("the bank can only answer for a payment that is created or failed")
            if outcome == "failed":
                _bank.fail(self.world, payment, instruments.PLAIN_FAILURE)
            else:
                _bank.authorize(self.world, payment, capture_it=True if outcome == "captured" else None)
            return dict(payment)

    def capture(self, payment_id: str) -> Entity:
        """An operator captures an authorised payment in the dashboard. Raises :class:`ApiBadRequest` for others."""
        with self.world.lock:
            payment = self.world.payments.get(payment_id)
            if payment is None:
                raise refusal("The id provided does not exist")
            body: Entity = {"amount": payment["amount"], "currency": payment["currency"]}
            return dict(_payments.capture(self.world, Call((payment_id,), {}, body, {}, None)))

    def refund(self, payment_id: str, amount: int | None = None, *, speed: str = "normal") -> Entity:
        """An operator refunds in the dashboard: like the API, but nobody's code asked. ``amount`` None is the rest."""
        body: Entity = {"speed": speed} if amount is None else {"speed": speed, "amount": amount}
        with self.world.lock:
            return dict(_refunds.create(self.world, Call((payment_id,), {}, body, {}, None)))

    def settle_refund(self, refund_id: str, outcome: str = "processed") -> Entity:
        """The bank decides about a refund now: ``processed`` or ``failed``. Failing a processed one is UNCONFIRMED."""
        if outcome not in ("processed", "failed"):
            raise ConfigError("a refund is processed or failed")
        with self.world.lock:
            refund = self.world.refunds.get(refund_id)
            if refund is None:
                raise ConfigError("the emulator knows no such refund")
            _settle.settle(self.world, refund, outcome)
            return dict(refund)

    def checkout_form(self, payment_id: str) -> dict[str, str]:
        """What Checkout hands to the shop after success: three fields, or the payment id alone without an order.

        Raises :class:`ConfigError` where the payment was never authorised: Checkout would hand over nothing.
        """
        payment = self.world.payments.get(payment_id)
        if payment is None or payment["status"] not in ("authorized", "captured", "refunded"):
            raise ConfigError("Checkout only answers for a payment that was authorised")
        if payment["order_id"] is None:
            return {"razorpay_payment_id": payment_id}
        signature = sign_checkout_for_test(order_id=payment["order_id"], payment_id=payment_id, secret=self.key_secret)
        return {
            "razorpay_order_id": payment["order_id"],
            "razorpay_payment_id": payment_id,
            "razorpay_signature": signature,
        }

    def state(self) -> dict[str, Any]:
        """Everything that can be seen, as JSON values; no secret is among it."""
        from razorpay_hardened.emulator._control import state

        return state(self)


def _refused_otp(instrument: instruments.Instrument, otp: str) -> bool:
    """Only cards ask for one."""
    return instrument.card is not None and instruments.wrong_otp(otp)
