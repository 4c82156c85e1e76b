"""What featuretools can say of scale_org's leads by itself: deep feature synthesis over the touches, one `where` a window,
with the primitives it ships. That is 13 of the catalogue's columns; visits, replies, bursts, shares, colleagues and the record
as of a time are beyond its primitives and left out, so it does a quarter of the work that the others do.
`python scale_featuretools.py FOLDER NOW OUT` writes OUT and prints the seconds of wall, of CPU and the leads.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import featuretools as ft  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scale_pandas import TOUCHES  # noqa: E402

DAY = 86_400_000_000
COUNTS = {
    "touches_7d": (7, None), "touches_30d": (30, None), "meetings_30d": (30, "meeting"), "forwards_30d": (30, "email_forwarded"),
    "forms_30d": (30, "form"), "t3": (3, None), "t31": (31, None), "t35": (35, None),
}  # fmt: skip


def features(folder: Path, now: int) -> pd.DataFrame:
    leads = pd.read_parquet(folder / "leads.parquet", columns=["lead_id", "created_at"])
    acts = pd.read_parquet(folder / "activities.parquet").query("at <= @now")
    answered = (acts.kind == "call") & acts.answered.fillna(False).astype(bool)
    acts = acts[(acts.actor == "person") & (acts.kind.isin(TOUCHES) | answered)]
    age = (now - acts["at"]).astype("float64")
    rows = pd.DataFrame(
        {
            "activity_id": acts.activity_id,
            "lead_id": acts.lead_id,
            "age": age,
            "weight": np.exp(-age / (14 * DAY)),
        }
    )
    for name, (days, kind) in COUNTS.items():
        rows[name] = ((age < days * DAY) & ((acts.kind == kind) if kind else True)).astype("float64")
    rows["area"] = acts.area.where(age < 30 * DAY).astype("object")
    es = ft.EntitySet("org")
    es.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id")
    es.add_dataframe(
        dataframe_name="touches", dataframe=rows, index="activity_id", logical_types={"area": "Categorical"}
    )
    es.add_relationship("leads", "lead_id", "touches", "lead_id")
    made, _ = ft.dfs(
        entityset=es, target_dataframe_name="leads", agg_primitives=["sum", "max", "min", "num_unique"], trans_primitives=[],
        max_depth=1, n_jobs=1,
    )  # fmt: skip
    out = pd.DataFrame(index=leads.lead_id)
    made = made.reindex(out.index)
    for name in COUNTS:
        out[name] = made[f"SUM(touches.{name})"].fillna(0)
    out["days_since_first_touch"], out["days_since_last_touch"] = (
        made["MAX(touches.age)"] / DAY,
        made["MIN(touches.age)"] / DAY,
    )
    out["engagement_touches"] = made["SUM(touches.weight)"].fillna(0)
    out["recency_weighted_engagement"] = np.log(out.engagement_touches + 1)
    out["research_depth_30d"] = made["NUM_UNIQUE(touches.area)"].astype("float64").fillna(0)
    out["lead_age_days"] = (now - leads.set_index("lead_id").created_at).clip(lower=0) / DAY
    for days, lately, longer in ((3, out.t3, out.t31), (7, out.touches_7d, out.t35)):
        out[f"velocity_{days}d"] = (lately + 1) / ((longer - lately) * (days / 28) + 1)
    return out.drop(columns=["t3", "t31", "t35"]).reset_index()


if __name__ == "__main__":
    folder, now, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    start, work = time.perf_counter(), time.process_time()
    found = features(folder, now)
    print(time.perf_counter() - start, time.process_time() - work, len(found))
    found.to_parquet(out)
