"""The leakage audit: fields and activities, in one list."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.audit import events, fields
from scoring.audit.evidence import Evidence
from scoring.audit.leakage import Leakage

MOST_LEADS = 20_000
"""closed leads that are looked at, drawn at random: more say nothing new"""


def leakage(evidence: Evidence, seed: int = 0) -> Leakage:
    """What gives the outcome away, the strongest first, and every other field ranked."""
    evidence = _few(evidence, seed)
    looked = list(fields.looked_at(evidence)) if len(evidence.closed) else []
    found = [*fields.findings(evidence, looked), *events.findings(evidence)]
    accused = {finding.what for finding in found}
    rest = fields.ranked(evidence, looked, accused)
    return Leakage(
        leads=len(evidence.won),
        wins=int(evidence.won.sum()),
        as_of=evidence.dated,
        findings=tuple(sorted(found, key=lambda f: (-f.strength, f.what, f.kind))),
        ranked=tuple(sorted(rest, key=lambda r: (-r.today, r.what))),
    )


def _few(evidence: Evidence, seed: int) -> Evidence:
    count = len(evidence.ids)
    if len(evidence.closed) <= MOST_LEADS:
        return evidence
    share = MOST_LEADS / len(evidence.closed)
    keep = np.random.default_rng(seed).random(count) < share
    ids = evidence.leads.filter(pa.array(keep))["lead_id"].combine_chunks()

    def of(table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table["lead_id"], value_set=ids))

    return Evidence(
        of(evidence.leads), of(evidence.records), of(evidence.changes), of(evidence.activities), evidence.tracked,
        evidence.now, evidence.labels,
    )  # fmt: skip
