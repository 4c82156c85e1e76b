"""How DuckDB gets to the features is planned once a process (scoring.features.build), which takes ibis seconds; the tests
start dozens of short processes of the same few plans. Here a plan is made once a session and left in a folder for the others.

A plan is a pure function of its arguments, which name its file. The process that comes first makes it as ever.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

_folder: Path | None = None


def folder() -> Path | None:
    """Where this process shares its plans; None: it makes its own."""
    return _folder


def share(where: Path | None) -> Callable[[], None]:
    """From now on this process takes plans from `where` and leaves there those that it had to make; how to end that."""
    global _folder
    if where is None:
        return lambda: None
    # the package has a function of this name, so the module is asked for by its full one
    build: Any = import_module("scoring.features.build")
    make = build._plan

    @lru_cache(maxsize=8)
    def plan(*asked: Any) -> Any:
        file = where / sha256(repr(asked).encode()).hexdigest()
        if file.exists():
            return pickle.loads(file.read_bytes())
        made = make(*asked)
        handle, name = tempfile.mkstemp(dir=where)
        with os.fdopen(handle, "wb") as written:
            pickle.dump(made, written)
        os.replace(name, file)  # whole or not at all: others may look at any time
        return made

    def end() -> None:
        global _folder
        _folder, build._plan = None, make

    _folder, build._plan = where, plan
    return end
