"""One thread for linear algebra and trees: with two on two busy cores, trees took 50 times longer. What is independent of each
other is done side by side instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, TypeVar

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

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(alone, items))


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # looking up the loaded libraries takes milliseconds, so once; scikit-learn has to be loaded before
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
