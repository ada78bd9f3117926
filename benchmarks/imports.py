"""What an import costs: whole new processes, beside bare Python and the SDK. Target: the package at most +60 ms."""

from __future__ import annotations

import subprocess
import sys

from benchmarks._measure import measure, show

STATEMENTS = {
    "bare Python": "pass",
    "import razorpay_hardened": "import razorpay_hardened",
    "… import verify_webhook": "from razorpay_hardened import verify_webhook",
    "… import Razorpay, SQLiteStore": "from razorpay_hardened import Razorpay, SQLiteStore",
    "from pydantic import BaseModel": "from pydantic import BaseModel",
    "import razorpay": "import razorpay",
}


def start(statement: str) -> None:
    """One process."""
    subprocess.run([sys.executable, "-c", statement], check=True)


def main() -> None:
    """Print the table."""
    contenders = {name: lambda statement=statement: start(statement) for name, statement in STATEMENTS.items()}
    show("import, in a process of its own", measure(contenders, baseline="bare Python"), baseline="bare Python")


if __name__ == "__main__":
    main()
