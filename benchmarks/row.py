"""One line of a benchmark's result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """`bar` says what the figure has to reach, `met` whether it did; both None for a figure without a bar."""

    name: str
    figure: float
    bar: str | None = None
    met: bool | None = None
    note: str = ""


def data_folder() -> Path:
    """Where the real data sets lie: CANDOR_DATA, by default ../shared/data beside the repository."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    return Path(os.environ.get("CANDOR_DATA", default))
