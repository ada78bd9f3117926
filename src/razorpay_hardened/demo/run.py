"""The day for real: the emulator over HTTP, the shop as a process, SIGKILL where the points say."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NoReturn

from razorpay_hardened.client import Client
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.demo._shop_http import FOLDER, READ_TIMEOUT_S, SEED
from razorpay_hardened.demo.aftermath import settle
from razorpay_hardened.demo.drive import Answer, Day
from razorpay_hardened.demo.faults import API_FAULTS, DELIVERIES
from razorpay_hardened.demo.journal import Journal
from razorpay_hardened.demo.outcome import Outcome, conclude
from razorpay_hardened.demo.shop import Shop, WorldClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import RazorpayHardenedError

__all__ = ["ShopProcess", "play"]

_TIMEOUT_S = 15.0
_COMMAND = (sys.executable, "-m", "razorpay_hardened.demo.shop")


class ShopProcess:
    """The shop at the other end of a socket, and its supervisor at the other end of two pipes."""

    def __init__(self, rz: Emulator, folder: Path, seed: int) -> None:
        environ = {**os.environ, **rz.environ(), FOLDER: str(folder), SEED: str(seed)}
        self._supervisor = subprocess.Popen(  # noqa: S603
            _COMMAND,
            bufsize=0,  # select must see every line that was not read yet
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends its shop
        )
        self._pid: int | None = None
        self._connection: HTTPConnection | None = None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._pid is not None and not self._ended(0)

    def start(self) -> None:
        """A new process. Raises :class:`RazorpayHardenedError` if it does not come up."""
        assert self._supervisor.stdin is not None
        with suppress(BrokenPipeError):  # told below: its answer is missing
            self._supervisor.stdin.write(b"\n")
        news = self._hear()
        if "port" not in news:
            raise RazorpayHardenedError("the demo's shop did not start; its own message is above")
        self._pid = news["pid"]
        self._connection = HTTPConnection("127.0.0.1", news["port"], timeout=_TIMEOUT_S)

    def _hear(self) -> dict[str, int]:
        """The supervisor's next news; nothing when it is gone."""
        assert self._supervisor.stdout is not None
        line = self._supervisor.stdout.readline()
        news: dict[str, int] = json.loads(line) if line else {}
        return news

    def _ended(self, timeout_s: float) -> bool:
        """Whether the supervisor says so within ``timeout_s``."""
        assert self._supervisor.stdout is not None
        if select.select([self._supervisor.stdout], [], [], timeout_s)[0]:
            self._hear()
            self._pid = None
        return self._pid is None

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """One POST on the kept connection."""
        assert self._connection is not None
        try:
            self._connection.request("POST", path, body, dict(headers))
            response = self._connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, HTTPException):
            self._connection.close()
            self._ended(1)  # a connection that breaks is a process that dies: nobody sees it half dead
            return None

    def kill(self) -> None:
        """``kill -9``, from outside."""
        if self.alive():
            assert self._pid is not None
            os.kill(self._pid, signal.SIGKILL)
            self._hear()
            self._pid = None
        if self._connection is not None:
            self._connection.close()

    def close(self) -> None:
        """End the shop and its supervisor."""
        with self._supervisor:  # closes the pipes, which ends it, and waits
            self.kill()


def _night_shift(rz: Emulator, folder: Path, seed: int) -> Shop:
    """The nightly job: the shop's own code, in this process, over HTTP like everybody else."""
    clock = WorldClock(rz.clock.now)
    client = Client(rz.key_id, rz.key_secret, base_url=rz.url, clock=clock, read_timeout_s=READ_TIMEOUT_S)

    def die() -> NoReturn:
        raise AssertionError("nothing kills the nightly job")

    return Shop(rz.environ(), folder, seed=seed, clock=clock, die=die, client=client)


def play(seed: int, customers: int, folder: Path, journal: Journal | None = None) -> tuple[Outcome, float]:
    """One day with real processes, in ``folder``; gives the outcome and the real seconds that it took."""
    journal = journal or Journal()
    clock = SystemClock()
    begun = clock.monotonic()
    with Emulator(seed, deliveries=DELIVERIES) as rz:
        rz.faults.add(API_FAULTS)
        door = ShopProcess(rz, folder, seed)
        try:
            day = Day(rz, door, seed=seed, count=customers, journal=journal)
            day.play()
            night = _night_shift(rz, folder, seed)
            try:
                outcome = conclude(day, settle(day, night))
            finally:
                door.close()
                night.close()  # last, so that SQLite folds its log into the one file that may be kept
        finally:
            door.close()
    return outcome, clock.monotonic() - begun
