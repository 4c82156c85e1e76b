"""The truth's file: JSON, gzipped when its name ends in .gz. No API reads it; benchmarks and reps do."""

from __future__ import annotations

import gzip
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import orjson

from connector.errors import InputError
from connector.playground.world.model import Touch, Truth


def write_truth(path: Path, truth: Truth) -> None:
    data = orjson.dumps(asdict(truth))
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    path.write_bytes(data)


def read_truth(path: Path) -> Truth:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"The truth of this world can't be read: {error}.") from error
    raw = orjson.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    for name in ("scored_at", "wins", "losses", "reach_by"):
        raw[name] = {key: datetime.fromisoformat(at) for key, at in raw.get(name, {}).items()}
    raw["would"] = {
        key: (datetime.fromisoformat(at), sum_) for key, (at, sum_) in raw.get("would", {}).items()
    }
    raw["ahead"] = [Touch(**{**touch, "at": datetime.fromisoformat(touch["at"])}) for touch in raw["ahead"]]
    return Truth(**raw)
