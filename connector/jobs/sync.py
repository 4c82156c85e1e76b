"""One pass: pull, harvest, score, route, push. A dry run walks the same steps and stops before anything is decided for
good; what it prints is what the pass would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connector.errors import CandorError
from connector.jobs import score as scoring
from connector.jobs.context import Context, log
from connector.jobs.harvest import harvest
from connector.jobs.pull import Pulled, pull
from connector.jobs.push import Pushed, push
from connector.jobs.stages import explain
from connector.store import outbox
from connector.store.runs import running


class Busy(CandorError):
    """Another pass is running. Wait until it is done, or stop the daemon first."""


@dataclass(slots=True)
class Pass:
    """What a pass did (or, dry, would do)."""

    dry: bool
    paused: str | None
    pulled: Pulled
    harvested: dict[str, int]
    scored: int
    routes: dict[str, int]
    listed: list[dict[str, Any]]
    pushed: Pushed = field(default_factory=Pushed)
    calls: int = 0
    writes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry, "paused": self.paused, "looked_at": list(self.pulled.looked_at),
            "pulled": dict(self.pulled.rows), "new": self.pulled.new, "changed": self.pulled.changed,
            "set_aside": dict(self.pulled.odd),
            "harvested": self.harvested, "scored": self.scored, "routes": self.routes,
            "would_write" if self.dry else "wrote": [line for line in self.listed if line["do"] != "leave alone"],
            "left_alone": sum(line["do"] == "leave alone" for line in self.listed),
            "pushed": self.pushed.done, "found_done": self.pushed.found_done, "refused": dict(self.pushed.by_code),
            "later": self.pushed.later, "calls": self.calls, "write_calls": self.writes,
        }  # fmt: skip


def sync(
    context: Context, *, dry: bool = False, everything: bool = False, stop: Callable[[], bool] = lambda: False
) -> Pass:
    """Run one pass. Only one at a time may run: raises Busy. `everything` scores all open leads anew (each night)."""
    with context.store.the_one("pass") as free:
        if not free:
            raise Busy()
        before = context.crm.usage()
        if dry:
            with context.store.rehearsal(), running(context.store, "dry run", context.clock) as run:
                result = _decide(context, run.id, everything, dry=True)
        else:
            with running(context.store, "rescore" if everything else "sync", context.clock) as run:
                result = _decide(context, run.id, everything, dry=False)
                if result.paused is None and not stop():
                    result.pushed = push(context, stop=stop)
                run.summary.update(
                    {k: v for k, v in result.as_dict().items() if k != "wrote"}, written=len(result.listed)
                )
            context.remember_usage()
        usage = context.crm.usage()
        result.calls, result.writes = usage.calls - before.calls, usage.writes - before.writes
        return result


def _decide(context: Context, run_id: int, everything: bool, *, dry: bool) -> Pass:
    """Everything but the push: the outbox then holds what is to be written."""
    pulled = pull(context)
    harvested = dict(harvest(context, run_id))
    scored = scoring.score(context, everything=everything)
    with context.store.begin() as db:
        scoring.commit(context, db, run_id, scored)
        listed = [_waiting(entry) for entry in outbox.waiting(db)]
    listed += [line for line in explain(scored.stages) if line["do"] == "leave alone"]
    routes: dict[str, int] = {}
    for decision in scored.decisions.values():
        routes[str(decision.route)] = routes.get(str(decision.route), 0) + 1
    paused = context.store.get("paused")
    log.info("decided", scored=len(scored.decisions), listed=len(listed), dry=dry)
    return Pass(
        dry, paused["reason"] if paused else None, pulled, harvested, len(scored.decisions), routes, listed
    )


def _waiting(entry: outbox.Entry) -> dict[str, Any]:
    do = "open review" if entry.kind == "review" and "candor_lead" in entry.values else "write"
    return {
        "do": do,
        "kind": entry.kind,
        "id": entry.record_id,
        "values": dict(entry.values),
        "why": entry.why,
    }
