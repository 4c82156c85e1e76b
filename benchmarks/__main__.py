"""`python -m benchmarks [NAME …]` runs benchmarks/NAME.py (all by default) and prints what each found.

A benchmark is a module here with `run() -> list[Row]`; one with options of its own also has `arguments(parser)`, and takes what
they came to. The exit code is 1 when a bar was missed.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time

import benchmarks
from benchmarks.row import Row


def main() -> int:
    names = sorted(
        m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in ("__main__", "row")
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which ones: {', '.join(names)}")
    named, _ = parser.parse_known_args()
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in named.names or names}
    for module in modules.values():
        if hasattr(module, "arguments"):
            module.arguments(parser)
    options = parser.parse_args()
    missed = 0
    for name, module in modules.items():
        if not hasattr(module, "run"):
            continue
        start = time.perf_counter()
        rows = module.run(options) if hasattr(module, "arguments") else module.run()
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)")
        for row in rows:
            print(_line(row))
            missed += row.met is False
    return 1 if missed else 0


def _line(row: Row) -> str:
    verdict = {None: "", True: "ok", False: "MISSED"}[row.met]
    return f"  {row.name:<58} {row.figure:>10.4f}  {row.bar or '':<16} {verdict:<7} {row.note}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
