"""The day for real: the emulator over HTTP, the shop as a process, SIGKILL where the points say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
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
    """The shop at the other end of a socket. A spare is always warming up, as a supervisor would have it: what a
    restart costs is the world's time, not the watcher's."""

    def __init__(self, rz: Emulator, folder: Path, seed: int) -> None:
        self._environ = rz.environ() | {FOLDER: str(folder), SEED: str(seed)}
        self._spare: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: HTTPConnection | None = None

    def alive(self) -> bool:
        """Whether the process runs; asked after each request that got no answer, so a dying one is waited for."""
        return self._process is not None and self._process.poll() is None

    def _spawn(self) -> subprocess.Popen[bytes]:
        environ = {**os.environ, **self._environ}
        return subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)  # noqa: S603

    def start(self) -> None:
        """Put the spare to work, and warm up the next. Raises :class:`RazorpayHardenedError` if it does not come up."""
        self._process = self._spare or self._spawn()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RazorpayHardenedError("the demo's shop did not start; its own message is above")
        self._connection = HTTPConnection("127.0.0.1", json.loads(line)["port"], timeout=_TIMEOUT_S)
        self._spare = self._spawn()

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """One POST on the kept connection."""
        assert self._connection is not None
        try:
            self._connection.request("POST", path, body, dict(headers))
            response = self._connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, HTTPException):
            self._connection.close()
            self._reap()
            return None

    def _reap(self) -> None:
        """A connection that breaks is a process that dies: wait for its end, so that nobody sees it half dead."""
        assert self._process is not None
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return  # it lives: it was only slow
        self._close_pipes(self._process)

    def kill(self) -> None:
        """``kill -9``, from outside."""
        if self._process is not None:
            self._end(self._process)
        if self._connection is not None:
            self._connection.close()

    def close(self) -> None:
        """End both processes."""
        self.kill()
        if self._spare is not None:
            self._end(self._spare)
        self._spare = self._process = None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._close_pipes(process)

    @staticmethod
    def _close_pipes(process: subprocess.Popen[bytes]) -> None:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


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
                night.close()
        finally:
            door.close()
    return outcome, clock.monotonic() - begun
