"""A loop in a process of its own: those on several CRMs run side by side, and are still read one after the other.

The process is given its work on standard input and tells what happens on standard output, both pickled.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.demo.loop import Loop, Say, run_loop
from connector.errors import CandorError
from connector.jobs.context import Progress
from connector.playground.world.options import WorldOptions

_OFTEN = 0.1
"""seconds between two reports of the same work"""


class Beside:
    """A loop that runs. Left before its end, it is ended."""

    def __init__(
        self, crm: str, info: Mapping[str, Any], folder: Path, options: WorldOptions, *, keep: bool, steps: Sequence[str],
        never_read: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        self._crm, self._at = crm, time.monotonic()
        self._told: queue.SimpleQueue[tuple[float, str, Any] | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "connector.demo.beside"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        with self._process.stdin as work:
            pickle.dump((crm, dict(info), folder, options, keep, list(steps), dict(never_read or {})), work)
        threading.Thread(target=self._listen, daemon=True).start()

    def now(self) -> float:
        """When that happened which is being told, on the machine's monotonic clock."""
        return self._at

    def follow(self, progress: Progress, say: Say) -> Loop:
        """Tell what has happened and what happens, until it has ended. Raises what ended it."""
        while (told := self._told.get()) is not None:
            self._at, kind, what = told
            if kind == "progress":
                progress(*what)
            elif kind == "say":
                say(what)
            elif kind == "ended":
                loop: Loop = what
                return loop
            else:
                raise what
        raise CandorError(f"The loop on {self._crm} ended early.", fix="What it said stands above.")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, pickle.UnpicklingError, ValueError):
            while True:
                self._told.put(pickle.load(self._process.stdout))
        self._told.put(None)

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None and error is not None:
            self._process.terminate()
        self._process.wait()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was opened is closed
    crm, info, folder, options, keep, steps, never_read = pickle.load(sys.stdin.buffer)
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    last: tuple[str, float] = ("", 0.0)

    def tell(kind: str, what: Any) -> None:
        pickle.dump((time.monotonic(), kind, what), out)
        out.flush()

    def progress(what: str, done: int, of: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if what != last[0] or done == of or now - last[1] >= _OFTEN:
            last = (what, now)
            tell("progress", (what, done, of))

    try:
        try:
            loop = run_loop(
                crm,
                info,
                folder,
                options,
                progress,
                lambda text: tell("say", text),
                keep=keep,
                steps=steps,
                never_read=never_read,
            )
        except CandorError as error:
            tell("failed", _sendable(error))
        else:
            tell("ended", loop)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # nobody follows any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # what is left in the buffer goes nowhere
        sys.exit(1)


def _sendable(error: CandorError) -> CandorError:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # one that is made of other things than its message
        return CandorError(error.message, fix=error.fix)
    return error


if __name__ == "__main__":
    from connector.cli.console import quiet_logs

    quiet_logs()
    main()
