"""How quick is `candor --help`? The middle of seven starts of the real command, beside a bare interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.row import Row

_STARTS = 7
_BAR = 0.5


def run() -> list[Row]:
    ours = _middle([sys.executable, "-m", "connector.cli.main", "--help"])
    bare = _middle([sys.executable, "-c", "pass"])
    return [
        Row("candor --help, seconds", ours, f"≤ {_BAR}", ours <= _BAR),
        Row("a bare interpreter, seconds", bare),
    ]


def _middle(command: list[str]) -> float:
    taken = []
    for _ in range(_STARTS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
