"""The same day without sockets or processes, so that many of them can be tried: a kill is an exception that nobody
catches, after which a new shop is made on the same files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from razorpay_hardened.client import Client
from razorpay_hardened.demo.aftermath import Reconciled, settle
from razorpay_hardened.demo.drive import Answer, Day
from razorpay_hardened.demo.faults import API_FAULTS, DELIVERIES
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.outcome import Outcome, conclude
from razorpay_hardened.demo.shop import Shop, WorldClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.web import Request

__all__ = ["Killed", "live_through", "simulate"]


class Killed(BaseException):
    """What SIGKILL is in a process of one's own. Not an ``Exception``: no handler of anybody's may catch it."""


def _die() -> NoReturn:
    raise Killed


class _Line:
    """As much of a ``requests.Session`` as the client asks for: preparing a real one costs a fifth of a day."""

    def __init__(self, rz: Emulator) -> None:
        self._adapter = rz.adapter()

    def request(self, method: str, url: str, **options: Any) -> Response:
        """One call, answered by the emulator in this process."""
        asked = PreparedRequest()
        asked.method, asked.body = method, options["data"]
        asked.url = f"{url}?{urlencode(options['params'], doseq=True)}" if options["params"] else url
        asked.headers = CaseInsensitiveDict(options["headers"])
        return self._adapter.send(options["auth"](asked), timeout=options["timeout"])


class InProcessShop:
    """The shop as an object; a kill leaves it, and a start makes another one on the same folder."""

    def __init__(self, rz: Emulator, folder: Path, seed: int) -> None:
        self._rz = rz
        self._folder = folder
        self._seed = seed
        self._line = _Line(rz)
        self._shop: Shop | None = None

    def alive(self) -> bool:
        return self._shop is not None

    def make(self) -> Shop:
        """The shop's code, on the folder: also for the nightly job."""
        clock = WorldClock(self._rz.clock.now)
        client = Client(self._rz.key_id, self._rz.key_secret, base_url=self._rz.url, session=self._line, clock=clock)
        environ = self._rz.environ() | {"RAZORPAY_BASE_URL": "http://127.0.0.1:1"}  # never called: the session answers
        return Shop(environ, self._folder, seed=self._seed, clock=clock, die=_die, client=client)

    def start(self) -> None:
        self._shop = self.make()

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        assert self._shop is not None
        try:
            reply = self._shop.answer(Request("POST", headers, body, path=path))
        except Killed:
            self.kill()
            return None
        return Answer(reply.status, reply.body)

    def kill(self) -> None:
        shop, self._shop = self._shop, None
        if shop is not None:
            shop.close()

    close = kill


def simulate(seed: int, customers: int, folder: Path) -> Outcome:
    """One day in process, and its verdict; ``folder`` is empty and takes the shop's files."""
    return conclude(*live_through(seed, customers, folder))


def live_through(seed: int, customers: int, folder: Path) -> tuple[Day, Reconciled]:
    """The day itself: everything that the verdict is made from."""
    rz = Emulator(seed, in_process=True, deliveries=DELIVERIES)
    rz.faults.add(API_FAULTS)
    door = InProcessShop(rz, folder, seed)
    day = Day(rz, door, seed=seed, count=customers, journal=Journal())
    try:
        day.play()
        night = door.make()
        try:
            return day, settle(day, night)
        finally:
            night.close()
    finally:
        door.close()
