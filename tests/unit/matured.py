"""A made-up table of matured leads whose probabilities are true, except where a test bends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.metrics.outcomes import SCHEMA

EXTRA = [
    pa.field("threshold", pa.float64()),
    pa.field("completeness", pa.float64()),
    pa.field("conflicting", pa.bool_()),
    pa.field("region", pa.string()),
]
FULL = pa.schema([*SCHEMA, *(f for f in EXTRA if f.name not in SCHEMA.names)])


def columns(n: int, seed: int = 1, base: float = 0.1) -> dict[str, Any]:
    """Columns of a table; won follows probability. Change them, then `table(...)`."""
    rng = np.random.default_rng(seed)
    logit = np.log(base / (1 - base)) + rng.normal(0, 1.6, n)
    probability = 1 / (1 + np.exp(-logit))
    odds = logit - np.log(base / (1 - base))
    score = 100 / (1 + np.exp(-odds))
    width = np.clip(rng.gamma(4, 6, n), 2, 90)
    low, high = np.clip(score - width / 2, 0, 100), np.clip(score + width / 2, 0, 100)
    confidence = 100 - (high - low)
    won = rng.random(n) < probability
    worth = np.exp(rng.normal(10, 1.1, n))
    size = rng.choice(["smb", "mid_market", "enterprise"], n, p=[0.55, 0.33, 0.12])
    flagged = rng.random(n) < 0.15
    flags = [
        ["new:industry"] if f and i % 2 else ["number:reply_hours_median"] if f else []
        for i, f in enumerate(flagged)
    ]
    edge = (confidence < 70) | flagged
    reached = (score >= 70) | (edge & (rng.random(n) < 0.5))
    start = datetime(2025, 6, 1, tzinfo=UTC)
    return {
        "lead_id": [f"L{i:05d}" for i in range(n)],
        "scored_at": [start + timedelta(hours=i) for i in range(n)],
        "score": score,
        "probability": probability,
        "low": low,
        "high": high,
        "confidence": confidence,
        "edge_case": edge,
        "flags": flags,
        "route": np.where(reached, "person_sdr", "nurture"),
        "reached_person": reached,
        "hand_raiser": rng.random(n) < 0.08,
        "channel": rng.choice(["inbound", "outbound", "partner", "event"], n, p=[0.5, 0.3, 0.08, 0.12]),
        "segment": rng.choice(["Software", "Health", "Logistics"], n),
        "size_band": size,
        "industry": rng.choice(["Software", "Hospitals", "Freight", "Energy", "Retail"], n),
        "source": rng.choice(["Web", "Referral", "Trade show", "List"], n),
        "function": rng.choice(["technical", "business", "executive"], n),
        "amount": np.where(won, worth, np.nan),
        "predicted_amount": worth * np.exp(rng.normal(0, 0.4, n)),
        "won": won,
        "surprise": rng.random(n) < 0.1,
        "threshold": np.where(rng.random(n) < 0.7, 70.0, 50.0),
        "completeness": np.where(rng.random(n) < 0.25, 40.0, 80.0),
        "conflicting": rng.random(n) < 0.05,
        "region": rng.choice(["North", "South"], n),
    }


def table(values: dict[str, Any]) -> pa.Table:
    return pa.table(
        {name: pa.array(values[name], type=FULL.field(name).type, from_pandas=True) for name in FULL.names}
    )


def matured(n: int, seed: int = 1, base: float = 0.1) -> pa.Table:
    return table(columns(n, seed, base))
