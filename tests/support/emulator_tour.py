"""One of everything that can happen to an emulated account: for tests that compare shapes and names."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from razorpay_hardened.emulator import Emulator, Request

DAY_S = 86_400


class Tour:
    """Runs through the account's life and keeps what was answered and what was announced.

    ``entities`` has every entity of the API's answers as (kind, entity), ``events`` every event as (name, payload).
    """

    def __init__(self, seed: int = 7) -> None:
        self.rz = Emulator(seed, in_process=True)
        self.entities: list[tuple[str, dict[str, Any]]] = []
        self._money()
        self._links_and_invoices()
        self._subscriptions()
        self._received()
        self._route()
        self._onboarding()
        self._around_cards()
        self._downtimes()
        self._merchant()

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        bodies = [json.loads(event.body) for event in self.rz.world.events]
        return [(body["event"], body) for body in bodies]

    def call(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        reply = self.rz.request(method, path, body, query=query)
        assert reply.status == 200, (method, path, reply.body)
        answer = reply.json()
        for entity in answer.get("items", [answer]) if isinstance(answer, dict) else []:
            self._keep(entity)
        return answer

    def _keep(self, entity: dict[str, Any]) -> None:
        prefix = str(entity.get("id", "")).partition("_")[0]
        kind = entity.get("entity") or {"plink": "payment_link", "item": "item", "down": "payment.downtime"}.get(prefix)
        if "settlement_utr" in entity:
            kind = "recon row"
        if prefix == "acc":
            kind = "product configuration" if "requirements" in entity else "linked account"
        if kind is not None and kind != "collection":
            self.entities.append((kind, entity))

    def order(self, amount: int = 100_000, **more: Any) -> Any:
        return self.call("POST", "/v1/orders", {"amount": amount, "currency": "INR", **more})

    def _money(self) -> None:
        rz = self.rz
        payments = [rz.pay(self.order()["id"], method)["id"] for method in ("upi", "netbanking", "wallet", "card")]
        rz.pay(self.order()["id"], card="4100280000080001")
        rz.collect_cash(rz.pay(self.order()["id"], "cod")["id"])
        for payment in payments:
            self.call("GET", f"/v1/payments/{payment}", **{"expand[]": ["card", "refunds"]})
        self.call("POST", f"/v1/payments/{payments[0]}/refund", {"amount": 1000})
        self.call("POST", f"/v1/payments/{payments[1]}/refund", {"amount": 2468, "speed": "optimum"})
        failing = self.call("POST", f"/v1/payments/{payments[2]}/refund", {"amount": 500})
        rz.settle_refund(failing["id"], "failed")
        rz.clock.advance(120)
        self._document()
        for phase, outcome in (("chargeback", "lost"), ("fraud", "closed"), ("chargeback", "won")):
            dispute = rz.dispute(payments[3], 1000, phase=phase)
            path = f"/v1/disputes/{dispute['id']}"
            if outcome != "closed":
                self.call("PATCH", f"{path}/contest", {"summary": "goods delivered", "action": "submit"})
                rz.decide_dispute(dispute["id"], "action_required")
                self.call("PATCH", f"{path}/contest", {"action": "submit"})
            rz.decide_dispute(dispute["id"], outcome)
            self.call("GET", path, **{"expand[]": "payment"})
        instant = self.call("POST", "/v1/settlements/ondemand", {"amount": 20_000, "notes": {"a": "b"}})
        rz.clock.advance(3 * 3600)
        self.call("GET", f"/v1/settlements/ondemand/{instant['id']}", **{"expand[]": "ondemand_payouts"})
        rz.settle()
        self.call("GET", "/v1/settlements")
        self.call("GET", "/v1/settlements/recon/combined", year=2026, month="01")

    def _document(self) -> None:
        self._keep(self._upload("/v1/documents", purpose="dispute_evidence"))

    def _upload(self, path: str, **fields: str) -> Any:
        rz = self.rz
        token = b64encode(f"{rz.key_id}:{rz.key_secret}".encode()).decode("ascii")
        headers = {"Authorization": f"Basic {token}", "Content-Type": "multipart/form-data; boundary=x"}
        file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG\r\n'
        for name, value in fields.items():
            file += f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        reply = rz.handle(Request("POST", path, "", headers, file + b"--x--\r\n"))
        assert reply.status == 200, reply.body
        return reply.json()

    def _links_and_invoices(self) -> None:
        rz = self.rz
        said = {"amount": 30_000, "currency": "INR", "accept_partial": True, "customer": {"name": "Gaurav Kumar"}}
        link = self.call("POST", "/v1/payment_links", {**said, "reference_id": "r-1"})
        rz.pay_link(link["id"], amount=10_000)
        rz.pay_link(link["id"])
        self.call("GET", f"/v1/payment_links/{link['id']}")
        gone = self.call("POST", "/v1/payment_links", said)
        self.call("POST", f"/v1/payment_links/{gone['id']}/cancel")
        soon = rz.clock.unix() + 1000
        self.call("POST", "/v1/payment_links", {**said, "expire_by": soon})
        item = self.call("POST", "/v1/items", {"name": "Book", "amount": 20_000, "currency": "INR"})
        invoice = {
            "type": "invoice",
            "customer": {"name": "Gaurav Kumar", "email": "gaurav.kumar@example.com", "contact": "9123456780"},
            "line_items": [{"item_id": item["id"], "quantity": 2}],
            "partial_payment": True,
        }
        paid = self.call("POST", "/v1/invoices", invoice)
        rz.pay_invoice(paid["id"], amount=10_000)
        rz.pay_invoice(paid["id"])
        self.call("GET", f"/v1/invoices/{paid['id']}")
        self.call("POST", "/v1/invoices", {**invoice, "expire_by": soon})
        rz.clock.advance(2000)

    def _subscriptions(self) -> None:
        rz = self.rz
        item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
        plan = self.call("POST", "/v1/plans", {"period": "weekly", "interval": 1, "item": item})
        said = {"plan_id": plan["id"], "total_count": 3}
        now = self.call("POST", "/v1/subscriptions", {**said, "addons": [{"item": {**item, "name": "Set-up"}}]})
        rz.authenticate(now["id"])
        self.call("PATCH", f"/v1/subscriptions/{now['id']}", {"quantity": 2, "schedule_change_at": "cycle_end"})
        self.call("POST", f"/v1/subscriptions/{now['id']}/pause", {"pause_at": "now"})
        self.call("POST", f"/v1/subscriptions/{now['id']}/resume", {"resume_at": "now"})
        rz.charges_fail(now["id"])
        rz.clock.advance(11 * DAY_S)
        rz.change_card(now["id"])
        rz.clock.advance(14 * DAY_S)
        later = self.call("POST", "/v1/subscriptions", {**said, "start_at": rz.clock.unix() + DAY_S})
        rz.authenticate(later["id"])
        self.call("POST", f"/v1/subscriptions/{later['id']}/cancel", {"cancel_at_cycle_end": False})
        for path in ("addons", "invoices", "subscriptions", "customers"):
            self.call("GET", f"/v1/{path}")
        customer = self.call("GET", f"/v1/subscriptions/{now['id']}")["customer_id"]
        token = self.call("GET", f"/v1/customers/{customer}/tokens")["items"][0]["id"]
        block = {"max_amount": 500_000, "expire_at": rz.clock.unix() + 365 * DAY_S, "frequency": "monthly"}
        rz.pay(self.order(100, customer_id=customer, method="card", token=block)["id"], "card")
        self.call("GET", f"/v1/customers/{customer}/tokens")
        self.order(notification={"token_id": token})
        rz.clock.advance(60)
        rz.notices_fail(token)
        self.order(notification={"token_id": token})
        rz.clock.advance(60)
        rz.token_becomes(token, "paused")
        rz.token_becomes(token, "confirmed")
        self.call("PUT", f"/v1/customers/{customer}/tokens/{token}/cancel")
        rz.token_becomes(token, "rejected")

    def _received(self) -> None:
        rz = self.rz
        said = {"type": "upi_qr", "usage": "single_use", "fixed_amount": True, "payment_amount": 300, "name": "Store_1"}
        customer = self.call("POST", "/v1/customers", {"name": "Gaurav Kumar", "contact": "+919000090001"})["id"]
        qr = self.call("POST", "/v1/payments/qr_codes", {**said, "customer_id": customer})
        rz.credit_qr(qr["id"])
        self.call("GET", f"/v1/payments/qr_codes/{qr['id']}")
        receivers = {"receivers": {"types": ["bank_account", "vpa"]}, "customer_id": customer}
        account = self.call("POST", "/v1/virtual_accounts", receivers)
        for method, kind in (("bank_transfer", "bank_transfer"), ("upi", "upi_transfer")):
            payment = rz.credit_virtual_account(account["id"], 5000, method)
            self.call("GET", f"/v1/payments/{payment['id']}/{kind}")
        self.call("POST", f"/v1/virtual_accounts/{account['id']}/close")

    def _route(self) -> None:
        account = self.call(
            "POST",
            "/v2/accounts",
            {
                "email": "gaurav.kumar@example.com",
                "phone": "9000090000",
                "type": "route",
                "legal_business_name": "Acme Corp",
                "business_type": "partnership",
                "contact_name": "Gaurav Kumar",
                "customer_facing_business_name": "Acme",
            },
        )["id"]
        share = {"account": account, "currency": "INR", "notes": {"branch": "x"}, "linked_account_notes": ["branch"]}
        order = self.order(transfers=[{**share, "amount": 30_000}])
        payment = self.rz.pay(order["id"])["id"]
        self.call("GET", f"/v1/orders/{order['id']}", **{"expand[]": ["transfers", "payments"]})
        transfers = {"transfers": [{**share, "amount": 20_000}]}
        transfer = self.call("POST", f"/v1/payments/{payment}/transfers", transfers)["items"][0]["id"]
        self.call("POST", f"/v1/transfers/{transfer}/reversals", {"amount": 5000})
        self.call("GET", f"/v1/transfers/{transfer}", **{"expand[]": "recipient_settlement"})
        self.rz.settle()
        too_much = self.order(5_000_000, transfers=[{**share, "amount": 5_000_000}])
        self.rz.pay(too_much["id"], "netbanking")

    def _onboarding(self) -> None:
        """A partner's account: every product of it is reviewed and activated."""
        account = self.call(
            "POST",
            "/v2/accounts",
            {
                "email": "gauri@example.org",
                "phone": "9000090000",
                "type": "standard",
                "legal_business_name": "Acme Corp",
                "business_type": "partnership",
                "contact_name": "Gauri Kumar",
                "customer_facing_business_name": "Acme",
                "contact_info": {"refund": {"email": "cb@example.org"}},
                "brand": {"color": "FFFFFF"},
            },
        )["id"]
        base = f"/v2/accounts/{account}"
        bank = {"account_number": "1234567890", "ifsc_code": "HDFC0000317", "beneficiary_name": "Gauri Kumar"}
        for name in ("route", "payment_gateway", "payment_links"):
            asked = {"product_name": name, "tnc_accepted": True}
            product = self.call("POST", f"{base}/products", asked)["id"]
            self.call("PATCH", f"{base}/products/{product}", {"settlements": bank})
        address = {"street": "506, Koramangala 1st block", "city": "Bengaluru", "country": "IN"}
        stakeholder = self.call(
            "POST",
            f"{base}/stakeholders",
            {
                "name": "Gauri Kumar",
                "email": "gauri@example.com",
                "percentage_ownership": 10,
                "relationship": {"director": True, "executive": False},
                "phone": {"primary": "9000090000"},
                "addresses": {"residential": address},
                "kyc": {"pan": "AVOPB1111K"},
            },
        )["id"]
        self._upload(f"{base}/documents", document_type="gst_certificate")
        for document in ("personal_pan", "aadhar_front"):
            self._upload(f"{base}/stakeholders/{stakeholder}/documents", document_type=document)
        self.rz.clock.advance(60)
        self.call("GET", f"{base}/products/{product}")
        self.call("GET", "/v2/products/payments/tnc")

    def _around_cards(self) -> None:
        """What is about instruments and not about a payment: a customer's account, an IIN, a device."""
        customer = self.call("POST", "/v1/customers", {"name": "Gaurav Kumar", "contact": "+919000090002"})["id"]
        bank = {"name": "Gaurav Kumar", "ifsc": "HDFC0000053", "account_number": "11214311215411"}
        said = {"customer_id": customer, "account_type": "bank_account", "bank_account": bank}
        self.call("POST", "/v1/fund_accounts", said)
        self.call("GET", "/v1/iins/410028")
        checkout = {
            "name": "Acme Corp",
            "amount": 19_900,
            "currency": "INR",
            "description": "POS Transaction",
            "type": "in_person",
            "order_id": self.order(19_900)["id"],
            "method": "upi",
        }
        device = {"device_id": "2841158834"}
        for body in ({"action": "initiate_checkout", "initiate_checkout": checkout}, {"action": "close_checkout"}):
            reply = self.rz.request(
                "POST", "/v1/devices/activity", {**device, **body}, headers={"X-Razorpay-Device-Mode": "wired"}
            )
            assert reply.status == 200, reply.body
            self._keep(reply.json())

    def _downtimes(self) -> None:
        downtime = self.rz.downtime("netbanking", bank="HDFC")["id"]
        self.rz.downtime_changes(downtime, "low")
        self.call("GET", f"/v1/payments/downtimes/{downtime}")
        self.rz.downtime_changes(downtime)

    def _merchant(self) -> None:
        """What a business does itself: payments server to server, registration links, network tokens, and the like."""
        rz = self.rz
        person = {"name": "Gaurav Kumar", "email": "gaurav.kumar@example.com", "contact": "9123456780"}
        customer = self.call("POST", "/v1/customers", {**person, "fail_existing": "0"})["id"]
        bank = {"account_number": "11214311215411", "beneficiary_name": "Gaurav Kumar", "ifsc_code": "HDFC0001233"}
        self.call("POST", f"/v1/customers/{customer}/bank_account", bank)
        number = {"number": "4100280000001007", "expiry_month": "12", "expiry_year": "30", "name": "Gaurav Kumar"}
        afa = {"provider": "payu", "provider_reference_id": "pay_123wkejnsakd"}
        said = {"customer_id": customer, "method": "card", "card": {**number, "cvv": ""}, "authentication": afa}
        token = self.call("POST", "/v1/tokens", said)["id"]
        rz.token_becomes(token, "suspended")
        rz.token_becomes(token, "deactivated")
        rz.token_becomes(token, "active")
        for way in (
            {"method": "card", "token": token, "card": {"cvv": "123"}},
            {"method": "netbanking", "bank": "HDFC"},
        ):
            order = self.order()["id"]
            who = {"order_id": order, "email": person["email"], "contact": person["contact"]}
            made = self.call("POST", "/v1/payments/create/json", {"amount": 100_000, "currency": "INR", **who, **way})
            rz.finish(made["razorpay_payment_id"], otp="1234")
            self.call("GET", f"/v1/payments/{made['razorpay_payment_id']}", **{"expand[]": ["card", "offers"]})
            shipping = {"waybill": "123456789", "status": "rto", "provider": "Bluedart"}
            self.call("POST", f"/v1/orders/{order}/fulfillment", {"payment_method": "upi", "shipping": shipping})
        self.order(offer_id=rz.offer()["id"])
        agreed = {"method": "card", "max_amount": 500, "expire_at": rz.clock.unix() + DAY_S, "frequency": "monthly"}
        signed = {"method": "nach", "auth_type": "physical", "max_amount": 50_000, "bank_account": bank}
        for registration, amount in ((agreed, 100), (signed, 0)):
            link = {"customer": person, "type": "link", "amount": amount, "currency": "INR", "description": "12 p.m."}
            auth_links = "/v1/subscription_registration/auth_links"
            made = self.call("POST", auth_links, {**link, "subscription_registration": registration, "receipt": "1"})
            rz.pay_invoice(made["id"], registration["method"])
            self.call("GET", f"/v1/invoices/{made['id']}")
        self.call("GET", f"/v1/customers/{customer}/tokens")
