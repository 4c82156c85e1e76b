"""What is done side by side leaves the process as it was."""

from __future__ import annotations

import os
import threading
import warnings

import pytest

from scoring.model.threads import each, single

SPURIOUS = "`sklearn.utils.parallel.delayed` should be used with `sklearn.utils.parallel.Parallel` to …"


def test_threads_that_empty_the_warning_filters_by_turns_leave_them_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The order in which two threads of scikit-learn's lose them: the second enters after the first has emptied them, and leaves
    after it."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    emptied, second_is_in, first_is_out = (threading.Event() for _ in range(3))

    def one(place: int) -> int:
        if place == 0:
            with warnings.catch_warnings():
                warnings.resetwarnings()
                emptied.set()
                second_is_in.wait(10)
            first_is_out.set()
            return place
        emptied.wait(10)
        with warnings.catch_warnings():
            second_is_in.set()
            first_is_out.wait(10)
        warnings.warn(SPURIOUS, UserWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
        return place

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        filters, kept = warnings.filters, list(warnings.filters)
        with single():
            assert each(one, range(2)) == [0, 1]
        assert warnings.filters is filters
        assert list(warnings.filters) == kept
        assert [str(warning.message) for warning in shown] == ["something else"]
