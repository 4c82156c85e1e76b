"""What belongs beside a scored lead: on its deal the score it had when it became one, on its account how far the buying
committee is and who seems to champion it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import text

from connector.jobs.context import Context
from connector.jobs.stages import Stage, UpdateRecord
from connector.store import asof, records
from connector.store.bulk import sql
from scoring.features.normalise import company_domain, registered_domain

_FULL_COMMITTEE, _FULL_FUNCTIONS = 4, 3
"""So many engaged people and job functions make a committee whole."""
_CHAMPION_FOLLOWERS = 3
"""S2.7: a likely champion is followed by so many colleagues within 7 days."""
_STEP = 10
"""Points of maturity that are worth a write."""


def deal_stages(context: Context) -> list[Stage]:
    """Score and confidence at conversion, once a deal: the last ones from before the deal was made."""
    with context.store.begin() as db:
        rows = db.execute(text(sql("deals_without_score"))).all()
    return [
        UpdateRecord(
            "deal", row.deal_id,
            {"candor_score_at_conversion": round(row.score), "candor_confidence_at_conversion": round(row.confidence)},
            "the score it had when it became a deal",
        )
        for row in rows
    ]  # fmt: skip


def account_stages(context: Context, rows: pa.Table, leads: Mapping[str, Mapping[str, Any]]) -> list[Stage]:
    """Committee maturity (0-100) and likely champion of the accounts of the leads just scored, where they moved."""
    with context.store.begin() as db:
        accounts = records.record_values(db, "account")
        former = asof.former_domains(db)
    by_domain = {d: id for id, v in accounts.items() if (d := registered_domain(v.get("domain") or ""))}
    by_domain |= {old: by_domain[today] for old, today in former.items() if today in by_domain}
    found: dict[str, list[dict[str, Any]]] = {}
    wanted = (
        "lead_id",
        "committee_size",
        "functions_engaged_30d",
        "has_executive_in_committee",
        "followers_7d",
    )
    for row in rows.select([c for c in wanted if c in rows.column_names]).to_pylist():
        lead = leads[row["lead_id"]]
        account = lead.get("account_id") or by_domain.get(company_domain(lead.get("email") or "") or "")
        if account in accounts:
            found.setdefault(account, []).append(row)
    stages: list[Stage] = []
    for account, people in sorted(found.items()):
        maturity, champion = _committee(people, leads)
        there = accounts[account]
        was, known = there.get("candor_committee_maturity"), there.get("candor_champion") or ""
        if (maturity == 0 and was is None) or (abs((was or 0) - maturity) < _STEP and known == champion):
            continue
        values = {"candor_committee_maturity": maturity, "candor_champion": champion}
        stages.append(UpdateRecord("account", account, values, "the buying committee moved"))
    return stages


def _committee(
    people: Sequence[Mapping[str, Any]], leads: Mapping[str, Mapping[str, Any]]
) -> tuple[int, str]:
    """How complete the committee is: people, job functions and an executive each count a third. One person is none."""
    size = max(int(p.get("committee_size") or 0) for p in people)
    if size < 2:
        return 0, ""
    functions = max(float(p.get("functions_engaged_30d") or 0) for p in people)
    executive = any(p.get("has_executive_in_committee") == 1 for p in people)
    maturity = round(
        100 / 3 * (min(1, size / _FULL_COMMITTEE) + min(1, functions / _FULL_FUNCTIONS) + executive)
    )
    followed = max(people, key=lambda p: float(p.get("followers_7d") or 0))
    if float(followed.get("followers_7d") or 0) < _CHAMPION_FOLLOWERS:
        return maturity, ""
    lead = leads[followed["lead_id"]]
    return maturity, " ".join(filter(None, (lead.get("first_name"), lead.get("last_name"))))[:255]
