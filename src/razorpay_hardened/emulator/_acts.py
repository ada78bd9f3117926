"""What happens to an account without anybody calling its API: banks, customers and operators act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import (
    _bank,
    _books,
    _charging,
    _customers,
    _devices,
    _disputes,
    _downtimes,
    _links,
    _network_tokens,
    _offers,
    _qr_codes,
    _virtual_accounts,
    instruments,
)
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing import sign_payment_link_for_test, sign_subscription_for_test

if TYPE_CHECKING:
    from collections.abc import Callable

    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["Acts"]

_DAY_S = 86_400
_PERSON: Entity = {"email": "customer@example.com", "contact": "+919000090000", "notes": []}
_SEVERITIES = ("low", "medium", "high")


class Acts:
    """The out-of-band acts of an emulator. Each returns a copy of what it acted on; wishes that the account's rules
    do not allow are :class:`ConfigError`."""

    world: World

    if TYPE_CHECKING:
        pay: Callable[..., Entity]

    def _get(self, kind: str, entity_id: str) -> Entity:
        found = self.world.table(kind).get(entity_id)
        if found is None:
            raise ConfigError(f"the emulator knows no {kind.replace('_', ' ')} {entity_id}")
        return found

    # --- money --------------------------------------------------------------------------------------------------

    @property
    def balance(self) -> int:
        """What the account holds, in paise: captured less fees, refunds, transfers, disputes and settlements."""
        return self.world.books.balance

    def settle(self, outcome: str = "processed") -> Entity | None:
        """Settle everything now, due or not: ``processed`` or ``failed``. None where there is nothing to pay out."""
        if outcome not in ("processed", "failed"):
            raise ConfigError("a settlement is processed or failed")
        with self.world.lock:
            settlement = _books.settle(self.world)
            if settlement is not None:
                _books.answer_settlement(self.world, settlement["id"], outcome)
            return settlement and dict(settlement)

    def settlement_arrives(self, settlement_id: str) -> Entity:
        """A settlement that failed is processed after all."""
        with self.world.lock:
            settlement = self._get("settlement", settlement_id)
            _books.answer_settlement(self.world, settlement_id, "processed")
            return dict(settlement)

    def dispute(
        self,
        payment_id: str,
        amount: int | None = None,
        *,
        phase: str = "chargeback",
        reason_code: str = "processed_invalid_expired_card",
        respond_within_s: float = 7 * _DAY_S,
    ) -> Entity:
        """The customer's bank disputes a captured payment; ``amount`` None is all of it.

        Nobody answers within ``respond_within_s``: lost.
        """
        with self.world.lock:
            payment = self._get("payment", payment_id)
            asked = payment["amount"] if amount is None else amount
            if phase not in _disputes.PHASES:
                raise ConfigError(f"a dispute's phase is one of {', '.join(_disputes.PHASES)}; not {phase!r}")
            if not payment["captured"]:
                raise ConfigError("only a captured payment is disputed")
            if type(asked) is not int or not 0 < asked <= payment["amount"]:
                raise ConfigError("a dispute is over some or all of the payment")
            found = _disputes.open_dispute(
                self.world,
                payment,
                asked,
                phase=phase,
                reason_code=reason_code,
                respond_within_s=round(respond_within_s),
            )
            return dict(found)

    def decide_dispute(self, dispute_id: str, outcome: str, *, respond_within_s: float = 7 * _DAY_S) -> Entity:
        """The bank's word: ``won``, ``lost``, ``closed`` (fraud phase) or ``action_required``."""
        with self.world.lock:
            dispute = self._get("dispute", dispute_id)
            _disputes.decide(self.world, dispute, outcome, round(respond_within_s))
            return dict(dispute)

    # --- other ways to pay --------------------------------------------------------------------------------------

    def pay_link(self, link_id: str, method: str = "card", *, amount: int | None = None, **how: Any) -> Entity:
        """Somebody pays at a payment link; ``how`` is as for :meth:`Emulator.pay`. Returns the payment."""
        with self.world.lock:
            link = self._get("payment_link", link_id)
            order = _links.order_for(self.world, link)
            return self.pay(order["id"], method, amount=amount, **how)

    def link_callback(self, payment_id: str) -> dict[str, str]:
        """The query with which a paid link's ``callback_url`` is called, signed with the key secret (FACTS section 6).

        Raises :class:`ConfigError` for a payment that no link was paid with.
        """
        with self.world.lock:
            links = self.world.table("payment_link").values()
            link = next((one for one in links if payment_id in self.world.owned(one["id"], "payment")), None)
            if link is None:
                raise ConfigError(f"no payment link was paid with {payment_id}")
            said = {
                "payment_link_id": link["id"],
                "payment_link_reference_id": link["reference_id"],
                "payment_link_status": link["status"],
            }
            signature = sign_payment_link_for_test(
                payment_link_id=link["id"],
                reference_id=link["reference_id"],
                status=link["status"],
                payment_id=payment_id,
                secret=self.world.account.key_secret,
            )
        fields = {f"razorpay_{name}": value for name, value in said.items()}
        return {**fields, "razorpay_payment_id": payment_id, "razorpay_signature": signature}

    def pay_invoice(self, invoice_id: str, method: str = "card", *, amount: int | None = None, **how: Any) -> Entity:
        """Somebody pays an issued invoice. That of a subscription which is pending or halted brings it back."""
        with self.world.lock:
            invoice = self._get("invoice", invoice_id)
            if invoice["status"] not in ("issued", "partially_paid"):
                raise ConfigError(f"an invoice that is {invoice['status']} is not paid")
            payment = self.pay(invoice["order_id"], method, amount=amount, **how)
            subscription = self.world.table("subscription").get(invoice.get("subscription_id") or "")
            if subscription is not None and invoice["status"] == "paid":
                _charging.invoice_paid(self.world, subscription, invoice, self.world.payments[payment["id"]])
            return payment

    def credit_qr(self, qr_id: str, amount: int | None = None, *, vpa: str = "success@razorpay") -> Entity:
        """A customer scans a QR code and pays; ``amount`` None is the fixed one. Returns the payment."""
        with self.world.lock:
            qr = self._get("qr_code", qr_id)
            paid = qr["payment_amount"] if amount is None else amount
            if type(paid) is not int or paid < 1:
                raise ConfigError("the amount of a payment is a positive number of subunits")
            return dict(_qr_codes.credit(self.world, qr, paid, vpa, _PERSON))

    def credit_virtual_account(
        self,
        account_id: str,
        amount: int,
        method: str = "bank_transfer",
        *,
        ifsc: str = "KKBK0000007",
        account_number: str = "765432123456789",
        name: str = "Saurav Kumar",
        vpa: str = "success@razorpay",
    ) -> Entity:
        """Somebody transfers money to a virtual account, by ``bank_transfer`` or ``upi``. Returns the payment."""
        if type(amount) is not int or amount < 1:
            raise ConfigError("the amount of a payment is a positive number of subunits")
        payer = {"ifsc": ifsc, "account_number": account_number, "name": name, "vpa": vpa}
        with self.world.lock:
            account = self._get("virtual_account", account_id)
            return dict(_virtual_accounts.credit(self.world, account, amount, method, payer, _PERSON))

    def collect_cash(self, payment_id: str) -> Entity:
        """The courier was paid for a cash-on-delivery payment, which is ``pending`` until then."""
        with self.world.lock:
            payment = self._get("payment", payment_id)
            if payment["status"] != "pending":
                raise ConfigError("only a pending payment is collected")
            _bank.collect(self.world, payment)
            return dict(payment)

    def offer(self) -> Entity:
        """The operator makes an offer in the dashboard. Orders and subscriptions may name its ``id``."""
        with self.world.lock:
            return {"id": _offers.make(self.world)}

    # --- subscriptions ------------------------------------------------------------------------------------------

    def authenticate(
        self,
        subscription_id: str,
        method: str = "card",
        *,
        card: str | None = None,
        vpa: str | None = None,
        customer_id: str | None = None,
    ) -> Entity:
        """The customer authorises a subscription; without ``customer_id`` one is made. Returns the payment.

        One that starts now is charged with it and active; one that starts later is authenticated.
        """
        with self.world.lock:
            subscription = self._get("subscription", subscription_id)
            instrument = instruments.choose(method=method, card=card, vpa=vpa, amount=0)
            customer = (
                self._get("customer", customer_id)
                if customer_id is not None
                else _customers.make(self.world, {key: _PERSON[key] for key in ("email", "contact")})
            )
            person = {**_PERSON, "customer_id": customer["id"]}
            return dict(_charging.authenticate(self.world, subscription, instrument, customer, person))

    def subscription_form(self, subscription_id: str) -> dict[str, str]:
        """What Checkout hands to the shop after a subscription was authorised: the payment is signed first.

        Raises :class:`ConfigError` where nobody authorised it.
        """
        self._get("subscription", subscription_id)
        payment_id = self.world.private[subscription_id].get("authenticated_by")
        if payment_id is None:
            raise ConfigError("nobody has authorised the subscription")
        secret = self.world.account.key_secret
        signature = sign_subscription_for_test(payment_id=payment_id, subscription_id=subscription_id, secret=secret)
        return {
            "razorpay_payment_id": payment_id,
            "razorpay_subscription_id": subscription_id,
            "razorpay_signature": signature,
        }

    def charge(self, subscription_id: str, *, fails: bool = False) -> Entity | None:
        """Charge a subscription now: this cycle's charge, or the retry of one that failed. Returns the payment."""
        with self.world.lock:
            subscription = self._get("subscription", subscription_id)
            payment = _charging.charge(self.world, subscription, failing=fails)
            return payment and dict(payment)

    def charges_fail(self, subscription_id: str, failing: bool = True) -> None:
        """From now on the customer's bank refuses every charge of the subscription, or takes them again."""
        with self.world.lock:
            self._get("subscription", subscription_id)
            self.world.private[subscription_id]["failing"] = failing

    def change_card(self, subscription_id: str, card: str = "5104015555555558") -> Entity:
        """The customer gives another card. A pending subscription is charged, a halted one is active again."""
        with self.world.lock:
            subscription = self._get("subscription", subscription_id)
            instrument = instruments.choose(method="card", card=card, vpa=None, amount=0)
            _charging.new_card(self.world, subscription, instrument)
            return dict(subscription)

    def save_token(self, customer_id: str, method: str = "card", *, vpa: str | None = None) -> Entity:
        """The customer lets the business charge again: a confirmed token, after a small payment that is given back."""
        with self.world.lock:
            customer = self._get("customer", customer_id)
            instrument = instruments.choose(method=method, card=None, vpa=vpa, amount=0)
            amount = self.world.options.authentication_amount
            person = {**_PERSON, "customer_id": customer["id"]}
            payment = _bank.begin(self.world, None, instrument, amount, "INR", **person)
            _bank.authorize(self.world, payment, capture_it=None)
            _bank.give_back(self.world, payment)
            return dict(_customers.make_token(self.world, customer["id"], payment))

    def debits_fail(self, token_id: str, failing: bool = True) -> None:
        """From now on the bank refuses every recurring debit of a token, or takes them again."""
        with self.world.lock:
            self._get("token", token_id)
            self.world.private[token_id]["failing"] = failing

    def notices_fail(self, token_id: str, failing: bool = True) -> None:
        """From now on no pre-debit notice about a token can be delivered, or they can again."""
        with self.world.lock:
            self._get("token", token_id)
            self.world.private[token_id]["notices_fail"] = failing

    def token_becomes(self, token_id: str, status: str) -> Entity:
        """The customer's bank or app changes a mandate: ``paused``, ``confirmed`` (again), ``cancelled``,
        ``rejected``. A network changes its token: ``active`` (again), ``suspended``, ``deactivated``."""
        with self.world.lock:
            token = self._get("token", token_id)
            if "service_provider_tokens" in token:
                _network_tokens.becomes(self.world, token, status)
                return dict(token)
            if status not in ("paused", "confirmed", "cancelled", "rejected"):
                raise ConfigError("a mandate becomes paused, confirmed, cancelled or rejected")
            _customers.token_becomes(self.world, token, status)
            return dict(token)

    # --- point of sale ------------------------------------------------------------------------------------------

    def connect_device(self, device_id: str, connected: bool = True) -> None:
        """A point-of-sale device is taken off (``False``), or is there again; at first, every device is."""
        with self.world.lock:
            _devices.plug(self.world, device_id, connected)

    # --- downtimes ----------------------------------------------------------------------------------------------

    def downtime(self, method: str, severity: str = "high", *, scheduled: bool = False, **instrument: str) -> Entity:
        """A method begins to do badly: ``downtime("netbanking", bank="HDFC")``. It is an announcement only:
        payments still do what their instruments say."""
        if severity not in _SEVERITIES:
            raise ConfigError(f"a severity is one of {', '.join(_SEVERITIES)}; not {severity!r}")
        with self.world.lock:
            return dict(_downtimes.start(self.world, method, severity, instrument, scheduled=scheduled))

    def downtime_changes(self, downtime_id: str, severity: str | None = None) -> Entity:
        """A downtime gets another severity, or is resolved (None)."""
        with self.world.lock:
            downtime = self._get("payment.downtime", downtime_id)
            if downtime["status"] == "resolved":
                raise ConfigError("the downtime is over")
            if severity is None:
                _downtimes.resolve(self.world, downtime)
            elif severity in _SEVERITIES:
                _downtimes.update(self.world, downtime, severity)
            else:
                raise ConfigError(f"a severity is one of {', '.join(_SEVERITIES)}; not {severity!r}")
            return dict(downtime)
