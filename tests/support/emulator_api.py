"""Short calls to an emulated account, for its unit tests."""

from __future__ import annotations

from typing import Any

from razorpay_hardened.emulator import Emulator

DAY_S = 86_400


class Api:
    """``api.post("/plans", {...})`` gives the answer; ``api.refused(...)`` the description of a refusal."""

    def __init__(self, emulator: Emulator) -> None:
        self.rz = emulator

    def _call(self, method: str, path: str, body: object, query: dict[str, Any]) -> Any:
        whole = path if path.startswith("/v2") else f"/v1{path}"
        return self.rz.request(method, whole, body, query=query)

    def send(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        reply = self._call(method, path, body, query)
        assert reply.status == 200, reply.body
        return reply.json()

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, **query)

    def post(self, path: str, body: object = None) -> Any:
        return self.send("POST", path, body)

    def patch(self, path: str, body: object) -> Any:
        return self.send("PATCH", path, body)

    def refused(self, method: str, path: str, body: object = None, **query: Any) -> str:
        """The description; the world is as it was before."""
        before = len(self.rz.world.events)
        reply = self._call(method, path, body, query)
        assert reply.status == 400, reply.body
        error = reply.json()["error"]
        assert error["code"] == "BAD_REQUEST_ERROR"
        assert len(self.rz.world.events) == before
        return str(error["description"])

    def paid(self, amount: int = 100_000, method: str = "upi", **order: Any) -> Any:
        """A captured payment."""
        made = self.post("/orders", {"amount": amount, "currency": "INR", **order})
        return self.rz.pay(made["id"], method)

    def since(self, start: int = 0) -> list[str]:
        """The names of the events from the ``start``-th on."""
        return [event.name for event in self.rz.world.events[start:]]

    def mark(self) -> int:
        return len(self.rz.world.events)


def account(api: Api, email: str = "g@example.com") -> str:
    """A linked account."""
    body = {
        "email": email,
        "phone": "9000090000",
        "type": "route",
        "legal_business_name": "Acme Corp",
        "business_type": "partnership",
        "contact_name": "Gaurav Kumar",
    }
    return str(api.post("/v2/accounts", body)["id"])
