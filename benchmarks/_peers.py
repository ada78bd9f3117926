"""The environment of the peers, and their process: each delivery costs them a line there and one back, 30 us or so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

__all__ = ["Peers"]

_HERE = Path(__file__).resolve().parent
_PLACE = _HERE.parent / ".venv-peers"


def _python() -> Path:
    """The peers' interpreter; the first time, this installs them."""
    python, stamp, wanted = _PLACE / "bin" / "python", _PLACE / ".installed", (_HERE / "peers.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_PLACE)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(_HERE / "peers.txt")], check=True)
        stamp.write_text(wanted)
    return python


class Peers:
    """dj-stripe's endpoint and the naive view on the database ``url``, with ``count`` orders."""

    def __init__(self, url: str, template: bytes, count: int) -> None:
        command = [str(_python()), "-W", "ignore", str(_HERE / "_peer_endpoints.py"), url, str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._tell(template)
        self._expect(b"ready")

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _expect(self, word: bytes) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != word:
            raise AssertionError("a peer failed: see above")

    def endpoint(self, name: str) -> Callable[[int], object]:
        """``djstripe`` or ``naive``, to be called with a delivery's number."""

        def deliver(number: int) -> None:
            self._tell(f"{name} {number}".encode())
            self._expect(b"ok")

        return deliver

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
