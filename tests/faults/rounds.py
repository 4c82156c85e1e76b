"""At which writes a client is killed.

Killed before its nth write a client leaves n - 1 writes done, killed after it n. So every second n of either kind leaves
an org in each state that a death can leave it in; `make test` takes these and the last, `make soak` (CANDOR_SOAK=1) takes
every n.
"""

from __future__ import annotations

import os
from collections.abc import Callable

STEP = 1 if os.environ.get("CANDOR_SOAK") else 2


def last_reached(killed_at: Callable[[int], bool]) -> int:
    """Have a client killed at one write after the other, by `killed_at(nth)`, until there is no such write; the last one's
    number. The last is always among them: a client that dies after it has done all and doesn't know."""
    nth = 1
    while killed_at(nth):
        nth += STEP
    passed_over = nth - 1
    if STEP > 1 and passed_over > 0 and not killed_at(passed_over):
        return passed_over - 1
    return passed_over
