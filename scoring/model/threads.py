"""One thread for linear algebra and trees: with two on two busy cores, trees took 50 times longer. What is independent of each
other is done side by side instead."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache, partial
from typing import Any, TextIO, TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Item = TypeVar("Item")
Result = TypeVar("Result")


def single() -> AbstractContextManager[Any]:
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The function of each item, in their order, as many at a time as there are cores; each on one thread. To be called
    inside `single`."""

    def alone(item: Item) -> Result:
        with single():  # OpenMP counts its threads for each thread that asks
            return function(item)

    with _warnings_kept(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(alone, items))


_SPURIOUS = "`sklearn.utils.parallel.delayed` should be used with"
_lock = threading.Lock()
_inside = 0
_kept = ExitStack()


@contextmanager
def _warnings_kept() -> Iterator[None]:
    """The process's warning filters as they were, whatever the threads do to them.

    Until Python's filters are a thread's own, `catch_warnings` swaps those of all threads, and whoever leaves last puts back what
    they met: scikit-learn, which empties them around each column that it bins, leaves them empty for good where two threads
    bin at a time, and takes filters that another thread has emptied for a mistake of its caller's, at every column."""
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            _kept.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message=re.escape(_SPURIOUS))
            warnings.showwarning = partial(_shown, warnings.showwarning)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _kept.close()


def _shown(
    show: Callable[..., None], message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """Where the filters have just been emptied, nothing else would stop it."""
    if not str(message).startswith(_SPURIOUS):
        show(message, category, filename, lineno, file, line)


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # looking up the loaded libraries takes milliseconds, so once; scikit-learn has to be loaded before
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
