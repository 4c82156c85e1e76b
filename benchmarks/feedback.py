"""Do people's words make Candor better, and do careless people make it worse? (S4.5)"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import hashlib
import pickle
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connector.demo.halfyear.known import play_settings, tables
from connector.jobs.fields import facts
from connector.playground.world.generate import generate
from connector.playground.world.model import Person, Truth
from scoring.features.build import build
from scoring.features.engine import connect
from scoring.features.inputs import Inputs
from scoring.features.normalise import company_domain

Floats = npt.NDArray[np.float64]

LEADS, MONTHS = 4000, 24
SPOKEN, JUDGED = timedelta(days=90), timedelta(days=90)
"""people speak for so long; then a model is trained, and judged on the leads that come after"""


@dataclass(frozen=True)
class Org:
    """A world at hand-over: a row a lead, as of its first scoring, in order of time."""

    rows: pa.Table
    at: npt.NDArray[np.float64]
    """seconds"""
    groups: npt.NDArray[Any]
    now: datetime
    truth: Truth
    persons: dict[str, Person]

    @property
    def keys(self) -> list[str]:
        found: list[str] = self.rows["lead_id"].to_pylist()
        return found


def org(seed: int) -> Org:
    """The world of a seed, from the cache where it is there."""
    folder = Path(os.environ.get("CANDOR_BENCH_CACHE", tempfile.gettempdir()))
    file = folder / f"feedback-{LEADS}-{MONTHS}-{seed}-{_code()}.pickle"
    if file.exists():
        found: Org = pickle.loads(file.read_bytes())
        return found
    made = _made(seed)
    file.write_bytes(pickle.dumps(made))
    return made


def _made(seed: int) -> Org:
    settings = play_settings()
    world, truth = generate(LEADS, MONTHS, seed)
    people = sorted(world.people, key=lambda p: truth.scored_at[p.key])
    people = [p for p in people if truth.scored_at[p.key] <= world.now]
    at = [truth.scored_at[p.key] for p in people]
    asked = pa.table({"lead_id": [p.key for p in people], "as_of": pa.array(at, pa.timestamp("us", "UTC"))})
    rows = build(connect(), Inputs(asked, *tables(world, truth, settings, world.now)), facts(settings))
    truth.ahead.clear()
    return Org(
        rows, np.array([x.timestamp() for x in at]),
        np.array([p.account or company_domain(p.email or "") or p.key for p in people], dtype=str),
        world.now, truth, {p.key: p for p in people},
    )  # fmt: skip


def _code() -> str:
    root, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for folder in ("connector/playground/world", "scoring/features"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
