"""The command line in processes of its own: signals, pipes, two at once, and what goes over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cli_shop import SINCE, Morning
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import WebhookVerifier

APP = """
from razorpay_hardened import Money, Razorpay

rzp = Razorpay.from_env(plans={"gold": Money.inr(499)})


@rzp.on("order.paid", name="grant-access")
def grant(change, tx):
    with open("granted.txt", "a") as file:
        print(change.order.owner, file=file)


rzp.on("refund.processed", name="revoke-access")(lambda change, tx: None)
rzp.after("order.paid", name="send-receipt")(lambda change: None)
"""
COMMAND = [sys.executable, "-W", "error", "-m", "razorpay_hardened.cli"]
REPAIR = ("reconcile", "--repair", "--since", SINCE, "--app", "shop_app:rzp")
DEADLINE_S = 60


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as made:
        yield made


@pytest.fixture
def shop(rz: Emulator, tmp_path: Path) -> Morning:
    """A shop's bad morning whose store, application and Razorpay other processes can reach."""
    (tmp_path / "shop_app.py").write_text(APP)
    return Morning(tmp_path, rz)


def environment(shop: Morning | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAZORPAY_", "COLUMNS"))}
    return {**kept, **({} if shop is None else shop.environ()), "PYTHONUNBUFFERED": "", "PYTHONIOENCODING": "utf-8"}


def run(shop: Morning, folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """One command in the shop's folder, to its end."""
    command = [*COMMAND, *argv]
    return subprocess.run(
        command, cwd=folder, env=environment(shop), capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


@contextmanager
def started(folder: Path, env: dict[str, str], *argv: str, **kwargs: Any) -> Iterator[subprocess.Popen[str]]:
    """One command that goes on; it is ended and read to its end in any case."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kwargs}
    with subprocess.Popen([*COMMAND, *argv], cwd=folder, env=env, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def granted(folder: Path) -> list[str]:
    path = folder / "granted.txt"
    return path.read_text().split() if path.exists() else []


class Gate:
    """Holds Razorpay's answers to one operation back until it is opened, and says when one was asked for."""

    def __init__(self, rz: Emulator, path: str, let_pass: int) -> None:
        self.reached, self._open, self._left = threading.Event(), threading.Event(), let_pass
        handle = rz.handle

        def held(request: Any) -> Any:
            if request.path == path and not self._open.is_set():
                self._left -= 1
                if self._left < 0:
                    self.reached.set()
                    self._open.wait(DEADLINE_S)
            return handle(request)

        rz.handle = held  # type: ignore[method-assign]

    def open(self) -> None:
        self._open.set()


# --- signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_mid_page_loses_nothing(
    shop: Morning, rz: Emulator, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Exit code 128+n, no traceback; the lease is given back, and a rerun is complete."""
    gate = Gate(rz, "/v1/payments", let_pass=0)
    with ExitStack() as stack:
        stack.callback(gate.open)
        process = stack.enter_context(started(tmp_path, environment(shop), *REPAIR))
        assert gate.reached.wait(DEADLINE_S)
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out, err) == (code, "", "")
    again = run(shop, tmp_path, *REPAIR, "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert (told["resumed"], told["complete"], told["totals"]["left"]) == (True, True, 0)
    assert granted(tmp_path).count("user:4") == 1
    assert "both sides agree" in run(shop, tmp_path, "reconcile", "--since", SINCE).stdout


def test_a_closed_pipe_is_a_quiet_end(shop: Morning, tmp_path: Path) -> None:
    """`events list | head -1`: exit code 141 and nothing on stderr, in tables and in JSON."""
    for form in ((), ("--json",)):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            argv = ("events", "list", "--since", SINCE, *form)
            with started(tmp_path, environment(shop), *argv, stdout=writing) as process:
                _, err = process.communicate(timeout=DEADLINE_S)
        finally:
            os.close(writing)
        assert (process.returncode, err) == (141, "")


def test_a_reader_that_leaves_early_gets_what_it_read(shop: Morning, tmp_path: Path) -> None:
    """As under a shell, with a real head."""
    line = f"set -o pipefail; {' '.join(COMMAND)} db sql | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env=environment(shop),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 141)  # 0 where all of it fitted the pipe
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


# --- two at once


def test_the_second_of_two_reconciles_leaves_with_75(shop: Morning, rz: Emulator, tmp_path: Path) -> None:
    """At once, while the first is in the middle of a page; and the first ends well."""
    gate = Gate(rz, "/v1/orders", let_pass=0)
    with ExitStack() as stack:
        stack.callback(gate.open)
        first = stack.enter_context(started(tmp_path, environment(shop), *REPAIR))
        assert gate.reached.wait(DEADLINE_S)
        second = run(shop, tmp_path, *REPAIR)
        gate.open()
        _, err = first.communicate(timeout=DEADLINE_S)
    assert (second.returncode, second.stdout) == (75, "")
    assert second.stderr.endswith("[ReconcileBusy]\n")
    assert (first.returncode, err) == (0, "")
    assert granted(tmp_path).count("user:4") == 1


def test_a_look_needs_no_application(shop: Morning, tmp_path: Path) -> None:
    """`reconcile` without --repair works with the environment alone, and leaves no handler's trace."""
    done = run(shop, tmp_path, "reconcile", "--since", SINCE, "--json")
    assert done.returncode == 0, done.stderr
    assert shop.lost in done.stdout
    assert granted(tmp_path) == []


def test_razorpay_out_of_reach_is_a_failure_with_its_name(shop: Morning, rz: Emulator, tmp_path: Path) -> None:
    """Exit code 1 and one line."""
    environ = environment(shop)
    rz.close()
    with started(tmp_path, environ, "reconcile", "--since", SINCE) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")


# --- emulate


def test_emulate_serves_until_ctrl_c(tmp_path: Path) -> None:
    """A Razorpay for the shell: it says where it is, answers the API, delivers signed webhooks, and tells of each."""
    with receiver() as (url, got), ExitStack() as stack:
        argv = ("emulate", "--port", "0", "--speed", "3600", "--webhook-url", url, "--json")
        process = stack.enter_context(started(tmp_path, environment(), *argv))
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told) == {"url", "account_id", "webhook_url", "environment"}
        order = call(told, "/v1/orders", {"amount": 49900, "currency": "INR"})
        call(told, "/_emulator/pay", {"order_id": order["id"]})
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (130, "")
    assert {line["event"] for line in lines} == {"payment.authorized", "payment.captured", "order.paid"}
    assert all(line["status"] == 200 for line in lines)
    verifier = WebhookVerifier(told["environment"]["RAZORPAY_WEBHOOK_SECRET"])
    assert len(got) >= 3
    for headers, body in got:
        verifier.verify(body, headers)


def test_emulate_says_what_to_paste(tmp_path: Path) -> None:
    """The environment of the shop, line by line, at once: whoever reads it through a pipe waits for it."""
    with started(tmp_path, environment(), "emulate", "--port", "0") as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        exports = dict(line[7:].strip().split("=", 1) for line in take_until(lines, "Ctrl-C") if line[:7] == "export ")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 143
    assert set(exports) == {
        *("RAZORPAY_BASE_URL", "RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET", "RAZORPAY_WEBHOOK_SECRET"),
    }


def test_emulate_on_a_port_that_is_taken(rz: Emulator, tmp_path: Path) -> None:
    """Exit code 2, and which port."""
    port = rz.url.rsplit(":", 1)[1]
    with started(tmp_path, environment(), "emulate", "--port", port) as process:
        _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert port in err
    assert "Traceback" not in err


def take_until(lines: Iterator[str], word: str) -> Iterator[str]:
    for line in lines:
        yield line
        if word in line:
            return


def call(told: dict[str, Any], path: str, body: dict[str, Any]) -> Any:
    """One POST with the account's key, as a shell script makes it."""
    from base64 import b64encode

    environ = told["environment"]
    token = b64encode(f"{environ['RAZORPAY_KEY_ID']}:{environ['RAZORPAY_KEY_SECRET']}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    request = Request(told["url"] + path, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=DEADLINE_S) as answer:
        return json.load(answer)


# --- webhook send


@contextmanager
def receiver(status: int = 200, text: bytes = b"{}") -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An endpoint on a free port, and what it got: headers and body of each request."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook?shop=1", got
        finally:
            server.shutdown()
            thread.join()


def test_webhook_send_reaches_a_real_endpoint(shop: Morning, tmp_path: Path) -> None:
    """Signed as Razorpay signs, with an event id; exit code 0 for any 2xx."""
    with receiver(204, b"") as (url, got):
        done = run(shop, tmp_path, "webhook", "send", "--to", url, "--event-id", "evt_mine", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == 204
    ((headers, body),) = got
    sent = {name.lower(): value for name, value in headers.items()}
    assert (sent["x-razorpay-event-id"], sent["content-type"]) == ("evt_mine", "application/json")
    WebhookVerifier(shop.rz.webhook_secret).verify(body, headers)
    assert json.loads(body)["event"] == "payment.captured"


@pytest.mark.parametrize("status", [301, 401, 500])
def test_what_is_not_2xx_is_a_failure(shop: Morning, tmp_path: Path, status: int) -> None:
    """Exit code 1; a redirect is not followed; an answer that quotes a secret or steers a terminal does neither."""
    answer = f"refused \x1b[2J {shop.rz.webhook_secret}".encode()
    (tmp_path / "body.json").write_bytes(b'{"mine": 1}\n')
    with receiver(status, answer) as (url, got):
        done = run(shop, tmp_path, "webhook", "send", "--to", url, "--body", "body.json")
    assert done.returncode == 1
    assert [body for _, body in got] == [b'{"mine": 1}\n']
    assert r"refused \x1b[2J ***" in done.stdout
    assert str(status) in done.stdout


def test_a_sent_event_about_an_order_pays_it(shop: Morning, tmp_path: Path) -> None:
    """From the shell to the shop's own endpoint: the order that was unpaid is paid, once."""
    rzp = shop.wired()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = shop_answers(rzp, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        done = run(shop, tmp_path, "webhook", "send", "--to", url, "--order", shop.unpaid)
        server.shutdown()
        thread.join()
    rzp.close()
    assert done.returncode == 0, done.stdout + done.stderr
    shown = run(shop, tmp_path, "orders", "show", shop.unpaid, "--json")
    assert json.loads(shown.stdout)["order"]["status"] == "paid"
    assert shop.granted.count("user:3") == 1


def shop_answers(rzp: Any, headers: Any, body: bytes) -> int:
    from razorpay_hardened import web

    status: int = rzp.webhooks.handle(web.Request("POST", dict(headers), body)).status
    return status


# --- the program


def test_the_installed_program_is_this_one(tmp_path: Path) -> None:
    """`razorpay-hardened`, as pip installs it, gives the same exit codes."""
    program = Path(sys.executable).with_name("razorpay-hardened")
    if not program.exists():
        pytest.skip("the package is not installed beside this interpreter")
    done = subprocess.run(
        [str(program), "orders", "list", "--limit", "0"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")


# --- the worker


def test_a_worker_that_waits_ends_when_it_is_told_to(shop: Morning, tmp_path: Path) -> None:
    """It does what waits, and then waits itself; SIGTERM wakes it at once, and that is exit code 0."""
    argv = ("work", "--idle", "3600", "--housekeeping", "3600", "--app", "shop_app:rzp", "--json")
    with started(tmp_path, environment(shop), *argv) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert (first["ran"] >= 1, first["failed"]) == (True, 0)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, told) == (0, "")
    assert granted(tmp_path) == ["user:13"]
