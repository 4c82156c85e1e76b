"""One thread for linear algebra and trees: with two on two busy cores, trees took 50 times longer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def single() -> AbstractContextManager[Any]:
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    # looking up the loaded libraries takes milliseconds, so once; scikit-learn has to be loaded before
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
