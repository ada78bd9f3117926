"""`python -m benchmarks` runs every benchmark; `python -m benchmarks verify client` those two."""

from __future__ import annotations

import importlib
import pkgutil
import platform
import sys
from collections.abc import Callable

import benchmarks


def found() -> dict[str, Callable[[], None]]:
    """The benchmarks of this folder by name: the modules that have a ``main()``."""
    mains: dict[str, Callable[[], None]] = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_"):
            main = getattr(importlib.import_module(f"benchmarks.{module.name}"), "main", None)
            if callable(main):
                mains[module.name] = main
    return mains


def run(names: list[str]) -> int:
    """Run the benchmarks of these names, or all. 2 for an unknown name."""
    mains = found()
    if unknown := [name for name in names if name not in mains]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(mains)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in names or mains:
        mains[name]()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
