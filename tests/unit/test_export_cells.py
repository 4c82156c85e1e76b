"""Exported texts never run as formulas; numbers stay numbers."""

from __future__ import annotations

import pytest

from connector.cli.schema import _cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [("-33 points: no budget", "'-33 points: no budget"), ("=1+1", "'=1+1"), ("-33.5", "-33.5"), ("plain", "plain"), ("", "")],
)  # fmt: skip
def test_only_texts_that_would_run_are_marked(value: str, cell: str) -> None:
    assert _cell(value) == cell
