"""Push: the outbox into the CRM, each value once.

Rows are marked as sending and committed before the call goes out. When the answer does not come (a kill, a broken
connection) nothing is known about them: the next pass reads the records back and sends only what is not there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.crm.base import CRMError, Kind, NoAnswer, Transient, Write, Written
from connector.jobs.context import Context, log
from connector.jobs.pull import pull, streams_of
from connector.store import outbox, records
from connector.store.outbox import Entry

_KINDS: tuple[Kind, ...] = ("lead", "deal", "account", "review")
_MOST_ATTEMPTS = 5


@dataclass(slots=True)
class Pushed:
    done: int = 0
    refused: int = 0
    found_done: int = 0
    """sent before, without an answer, and found to be there"""
    later: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    blocked: str | None = None
    """why every write of a batch was refused alike: a permission or a field, not the records"""


def push(context: Context, *, stop: Callable[[], bool] = lambda: False) -> Pushed:
    """Send everything that waits. `stop` is asked between two batches. Raises CRMError when the CRM does not answer."""
    pushed = Pushed()
    _recover(context, pushed)
    with context.store.begin() as db:
        total = len(outbox.waiting(db))
    size = context.crm.capabilities.write_batch
    blind: set[str] = set()
    tried: set[int] = set()
    for kind in _KINDS:
        while not stop():
            with context.store.begin() as db:
                batch = outbox.claim(db, kind, size)
                again = [e.seq for e in batch if e.seq in tried]
                outbox.settle(db, again, "pending")
            fresh = [e for e in batch if e.seq not in tried]
            if not fresh:
                break
            tried.update(e.seq for e in fresh)
            answers = _send(context, kind, fresh)
            if _note(context, kind, fresh, answers, pushed):
                blind.add(kind)
            context.progress("Writing scores", pushed.done + pushed.refused, total)
    if blind and not stop():
        # Our own writes come back through the change feed; read now, they cost the next pass nothing.
        pull(context, streams=streams_of(context.crm, blind), label="Reading back")
    if pushed.done or pushed.refused or pushed.found_done:
        log.info("pushed", done=pushed.done, refused=pushed.refused, found_done=pushed.found_done, later=pushed.later,
                 codes=dict(pushed.by_code))  # fmt: skip
    if pushed.blocked:
        raise CRMError(
            pushed.blocked, fix="Run `candor doctor`; once it is mended the next pass sends what waits."
        )
    return pushed


def _send(context: Context, kind: Kind, entries: Sequence[Entry]) -> list[Written]:
    try:
        return context.crm.write(kind, [Write(e.record_id, e.values) for e in entries])
    except NoAnswer:
        raise
    except Exception:
        # Refused as a whole before anything was done: it waits for the next pass.
        with context.store.begin() as db:
            outbox.settle(db, [e.seq for e in entries], "pending")
        raise


def _note(
    context: Context, kind: Kind, entries: Sequence[Entry], answers: Sequence[Written], pushed: Pushed
) -> bool:
    """Store the answers. True when the CRM did not tell the records' new times."""
    now, blind = context.clock.now(), False
    if len(answers) != len(entries):
        raise Transient(f"The CRM answered {len(answers)} of {len(entries)} writes.")
    alike = len(answers) > 1 and len({(a.ok, a.code) for a in answers}) == 1 and not answers[0].ok
    if alike and not answers[0].retry:
        what = f"{answers[0].code}: {(answers[0].message or '').rstrip('.')}"
        pushed.blocked = (
            f"{context.crm.capabilities.title} refused all {len(answers)} writes of {kind}s ({what})."
        )
    with context.store.begin() as db:
        for entry, answer in zip(entries, answers, strict=True):
            if answer.ok:
                pushed.done += 1
                outbox.settle(db, [entry.seq], "done", now=now)
                if kind != "review":
                    records.written(db, kind, entry.record_id, entry.values, answer.modified_at)
                # A case is the CRM's to make: until it is read back the store has none.
                blind = blind or answer.modified_at is None or kind == "review"
                continue
            pushed.by_code[answer.code or "unknown"] += 1
            if (answer.retry or alike) and entry.attempts < _MOST_ATTEMPTS:
                pushed.later += 1
                outbox.settle(db, [entry.seq], "pending", code=answer.code, message=answer.message)
            else:
                pushed.refused += 1
                outbox.settle(db, [entry.seq], "refused", now=now, code=answer.code, message=answer.message)
    return blind


def _recover(context: Context, pushed: Pushed) -> None:
    """What was sent without an answer is read back first. Review cases were just pulled, with their keys."""
    with context.store.begin() as db:
        open_rows = outbox.unanswered(db)
        cases = (
            {v.get("candor_key"): v for v in records.record_values(db, "review").values()}
            if open_rows
            else {}
        )
    by_kind: dict[str, list[Entry]] = defaultdict(list)
    for entry in open_rows:
        by_kind[entry.kind].append(entry)
    for kind in _KINDS:
        entries = by_kind[kind]
        step = context.crm.capabilities.read_batch
        for start in range(0, len(entries), step):
            part = entries[start : start + step]
            fields = sorted({name for e in part for name in e.values})
            there: Mapping[str, Mapping[str, Any]] = (
                {k: v for k, v in cases.items() if k}
                if kind == "review"
                else context.crm.read(kind, [e.record_id for e in part], fields)
            )
            with context.store.begin() as db:
                for entry in part:
                    values = records.plain(there.get(entry.record_id, {}))
                    arrived = entry.record_id in there and all(
                        _same(values.get(k), v)
                        for k, v in entry.values.items()
                        if kind != "review" or k in values
                    )
                    if not arrived:
                        outbox.give_back(db, entry)
                    else:
                        outbox.settle(db, [entry.seq], "done", now=context.clock.now())
                        pushed.found_done += 1
                        if kind != "review":
                            records.written(db, kind, entry.record_id, entry.values, None)


def _same(there: Any, sent: Any) -> bool:
    """Equal, a blank being None or "", a number being its value, a time being its moment to the second."""
    if there in (None, "", []) or sent in (None, "", []):
        return there in (None, "", []) and sent in (None, "", [])
    if isinstance(sent, (int, float)) and not isinstance(sent, bool):
        try:
            return abs(float(there) - float(sent)) < 1e-6
        except (TypeError, ValueError):
            return False
    if isinstance(sent, list):
        return sorted(there) == sorted(sent)
    return str(there)[:19] == str(sent)[:19] if _is_time(sent) else str(there) == str(sent)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 19 and value[4:5] == "-" and value[10:11] == "T"
