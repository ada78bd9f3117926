"""The demo for real: the emulator over HTTP, the shop as a process of its own, SIGKILL in the middle of its work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from razorpay_hardened.demo.run import ShopProcess
from razorpay_hardened.demo.simulate import simulate
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import RazorpayHardenedError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")]

COMMAND = (sys.executable, "-m", "razorpay_hardened.cli")


def _alive_in(folder: Path) -> list[str]:
    """The processes whose environment names ``folder``: the demo's shops. Empty where there is no /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if f"RAZORPAY_DEMO_FOLDER={folder}".encode() in environment:
            found.append(process.name)
    return found


def test_a_real_day_is_the_simulated_one_and_every_proof_holds(tmp_path: Path) -> None:
    """Real processes, real sockets and real kills make the same world as the simulation of the same seed.

    The store that is kept is one that the command line can read; no process stays behind.
    """
    kept = tmp_path / "kept"
    arguments = [
        "--seed",
        "3",
        "--customers",
        "25",
        "--json",
        "--report",
        str(tmp_path / "r.html"),
        "--keep",
        str(kept),
    ]
    done = subprocess.run([*COMMAND, "demo", *arguments], capture_output=True, text=True, timeout=250, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["holds"] is True
    assert [proof["name"] for proof in told["proofs"] if not proof["holds"]] == []
    assert len({crash["point"] for crash in told["crashes"]} - {None}) >= 3
    assert told["report"] == str(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text("utf-8").count("<svg") == 4

    (tmp_path / "simulated").mkdir()
    assert told["world"] == simulate(3, 25, tmp_path / "simulated").world

    store = f"sqlite:///{kept / 'shop.db'}"
    listed = subprocess.run(
        [*COMMAND, "--store", store, "orders", "list", "--since", "2026-01-01", "--limit", "1000", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(listed.stdout)["orders"]) == told["business"]["orders"]
    assert (kept / "mails.jsonl").read_text().count("\n") >= told["business"]["orders paid"]
    assert sorted(file.name for file in kept.iterdir()) == ["mails.jsonl", "shop.db"]
    assert _alive_in(kept) == []


def test_ctrl_c_ends_the_demo_and_its_shop(tmp_path: Path) -> None:
    """In the middle of the day: exit code 130, no report, nothing left running."""
    kept = tmp_path / "kept"
    arguments = ["--customers", "300", "--report", str(tmp_path / "r.html"), "--keep", str(kept)]
    with subprocess.Popen(
        [*COMMAND, "demo", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        assert next(line for line in demo.stderr if "SIGKILL" in line)
        if os.path.isdir("/proc"):
            assert _alive_in(kept)
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=120)
    assert demo.returncode == 130
    assert out == ""
    assert not (tmp_path / "r.html").exists()
    assert _alive_in(kept) == []


def test_a_shop_that_does_not_come_up_is_one_of_our_errors(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its own message is on stderr; the demo ends, and so does the supervisor."""
    with Emulator(1) as rz:
        door = ShopProcess(rz, tmp_path / "nowhere", seed=1)
        try:
            with pytest.raises(RazorpayHardenedError, match="did not start"):
                door.start()
            assert not door.alive()
        finally:
            door.close()
    assert "Traceback" in capfd.readouterr().err
    assert _alive_in(tmp_path) == []
