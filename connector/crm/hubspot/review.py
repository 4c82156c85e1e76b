"""Review cases: tickets in Candor's pipeline, found by candor_key, associated with their contact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.crm.base import CRMError, Write, Written
from connector.crm.hubspot.account import REVIEW_PIPELINE, Account
from connector.crm.hubspot.errors import Refused
from connector.crm.hubspot.rows import associated
from connector.crm.hubspot.write import Sender, properties

KEY, LEAD, STATUS = "candor_key", "candor_lead", "candor_status"


def write_reviews(account: Account, writes: Sequence[Write]) -> list[Written]:
    """Made, or found by key. A ticket's stage is its status; it is set when the write has one and when it is made."""
    if not writes:
        return []
    pipeline = account.review_pipeline()
    if pipeline is None:
        raise CRMError(f"The ticket pipeline “{REVIEW_PIPELINE}” does not exist.", fix="Run `candor apply`.")
    stages = _stages(account, pipeline)
    there = _existing(account, [w.id for w in writes])
    inputs: list[dict[str, Any]] = []
    for w in writes:
        values = {k: v for k, v in w.values.items() if k != STATUS}
        made = {**properties(account, "review", Write(w.id, values)), KEY: w.id}
        status = w.values.get(STATUS)
        if w.id not in there:
            made |= {"subject": f"Candor review {w.id}", "hs_pipeline": pipeline}
            status = status or "open"
        if status is not None:
            made["hs_pipeline_stage"] = stages[str(status) == "completed"]
        inputs.append({"id": w.id, "idProperty": KEY, "properties": made})
    answered = Sender(account, "tickets", "/batch/upsert").send(inputs)
    _associate(account, {w.id: w for w in writes}, answered, there)
    return [answered[w.id] for w in writes]


def _stages(account: Account, pipeline: str) -> dict[bool, str]:
    """closed? -> the first such stage."""
    found: dict[bool, str] = {}
    for id, stage in account.stages("tickets").items():
        if stage.pipeline == pipeline:
            found.setdefault(stage.closed, id)
    if len(found) < 2:
        raise CRMError(
            f"The pipeline “{REVIEW_PIPELINE}” needs an open and a closed stage.", fix="Run `candor apply`."
        )
    return found


def _existing(account: Account, keys: Sequence[str]) -> set[str]:
    body = {
        "inputs": [{"id": k} for k in keys],
        "idProperty": KEY,
        "properties": [KEY],
        "propertiesWithHistory": [],
    }
    answer = account.api.ask("reading tickets", account.api.objects("tickets", "/batch/read"), body)
    return {str(r["properties"].get(KEY)) for r in answer.get("results") or ()}


def _associate(
    account: Account, writes: dict[str, Write], answered: dict[str, Written], there: set[str]
) -> None:
    """Once: new tickets at once, older ones only when theirs is missing (a crash came between)."""
    tickets = {
        w.crm_id: key for key, w in answered.items() if w.ok and w.crm_id and writes[key].values.get(LEAD)
    }
    old = [ticket for ticket, key in tickets.items() if key in there]
    have = associated(account.api, "tickets", old, "contacts") if old else {}
    inputs = [
        {"from": {"id": ticket}, "to": {"id": str(writes[key].values[LEAD])}}
        for ticket, key in tickets.items()
        if str(writes[key].values[LEAD]) not in have.get(ticket, [])
    ]
    if not inputs:
        return
    path = account.api.associations("tickets", "contacts", "associate/default")
    try:
        account.api.send("associating tickets", "POST", path, {"inputs": inputs})
    except Refused:  # one lead is gone: the others' associations go one by one
        for one in inputs:
            try:
                account.api.send("associating tickets", "POST", path, {"inputs": [one]})
            except Refused as refused:
                key = tickets[one["from"]["id"]]
                answered[key] = Written(
                    key,
                    False,
                    answered[key].crm_id,
                    code=refused.category or "REFUSED",
                    message=refused.message,
                )
