"""The public signatures as pyright reads them; mypy reads the same file in ``make check``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
def test_pyright_finds_no_fault(tmp_path: Path) -> None:
    """``public.py`` states types with ``assert_type``: inferred alike by both checkers, for both clients."""
    pyright = pytest.importorskip("basedpyright", reason="needs: pip install basedpyright")
    assert pyright
    options = {
        "include": [str(HERE / "public.py")],
        "typeCheckingMode": "standard",
        "reportUnnecessaryTypeIgnoreComment": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(options), "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "-p", str(tmp_path), "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout
