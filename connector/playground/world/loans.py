"""The bank's loan applications as a world: real cases with their real, dated activities up to a week after creation.

What comes later belongs to the real outcome, so it is left out: the outcome here is another one. A case that was
decided within the week is no lead any more and is left out too, as in the set's own task.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connector.errors import InputError
from connector.playground.world.generate import AES, SDRS, make_owners
from connector.playground.world.model import Column, Deal, FieldChange, Person, Touch, Truth, World

SEEN_DAYS, HORIZON_DAYS = 7, 30
END = datetime(2012, 3, 14, 15, 4, 54, tzinfo=UTC)
"""of the log; younger cases than the horizon are left out"""
NOW = END - timedelta(days=HORIZON_DAYS - SEEN_DAYS)
"""The hand-over: the youngest cases have had their week. Who isn't decided by then is an open lead."""
AMOUNT = Column("amount_requested", "Amount requested", "number")
_KINDS = {"A": "task", "O": "email_sent", "W": "call"}
"""what an event of a kind is in a CRM: a change of status, an offer, somebody's work"""


@dataclass(slots=True)
class Loan:
    key: str
    created: datetime
    amount: float
    won: bool
    """in truth, within the horizon"""
    events: list[tuple[datetime, str, str, int | None]] = field(default_factory=list)
    """(at, activity, transition, resource), up to a week after creation"""

    def described(self) -> dict[str, Any]:
        """What a model may know of it at the cut."""
        counts = Counter(f"{activity} {transition}" for _, activity, transition, _ in self.events)
        last = max((at for at, *_ in self.events), default=self.created)
        return {
            "amount": self.amount, "hour": float(self.created.hour), "weekday": str(self.created.weekday()),
            "events": float(len(self.events)), "people": float(len({r for *_, r in self.events if r})),
            "quiet hours": SEEN_DAYS * 24 - (last - self.created) / timedelta(hours=1),
            **{name: float(counts[name]) for name in _COUNTED},
        }  # fmt: skip


_COUNTED = (
    "A_PREACCEPTED COMPLETE", "A_ACCEPTED COMPLETE", "O_SENT COMPLETE", "O_SENT_BACK COMPLETE", "O_CANCELLED COMPLETE",
    "W_Completeren aanvraag COMPLETE", "W_Nabellen offertes COMPLETE", "W_Valideren aanvraag COMPLETE",
    "W_Afhandelen leads COMPLETE", "W_Nabellen incomplete dossiers COMPLETE",
)  # fmt: skip


def read(folder: Path) -> list[Loan]:
    """Cases that were still open a week after creation, in order of time."""
    try:
        cases = pq.read_table(folder / "cases.parquet").to_pylist()
        events = pq.read_table(folder / "events.parquet")
        ends = {row["case_id"]: row for row in pq.read_table(folder / "outcomes.parquet").to_pylist()}
    except OSError as error:
        raise InputError(
            f"The loan applications can't be read: {error}.", fix="Check CANDOR_DATA."
        ) from error
    found: dict[int, Loan] = {}
    for case in cases:
        created, end = case["created_at"], ends[case["case_id"]]
        closed = end["closed_at"]
        if created > END - timedelta(days=HORIZON_DAYS) or (
            closed is not None and closed <= created + timedelta(days=SEEN_DAYS)
        ):
            continue
        won = end["outcome"] == "won" and end["outcome_at"] <= created + timedelta(days=HORIZON_DAYS)
        found[case["case_id"]] = Loan(f"L{case['case_id']}", created, float(case["amount_requested"]), won)
    # by Arrow, since four of five events are of other cases or came later
    until = pa.array([loan.created + timedelta(days=SEEN_DAYS) for loan in found.values()], events["at"].type)
    place = pc.index_in(events["case_id"], pa.array(list(found), events["case_id"].type))
    seen = events.filter(pc.less_equal(events["at"], pc.take(until, place)))
    seen = seen.sort_by([("case_id", "ascending"), ("seq", "ascending")])
    for id, at, activity, transition, resource in zip(
        *(seen[name].to_pylist() for name in ("case_id", "at", "activity", "transition", "resource")),
        strict=True,
    ):
        found[id].events.append((at, activity, transition, resource))
    return sorted(found.values(), key=lambda loan: (loan.created, loan.key))


def world(loans: list[Loan], won: list[bool], seed: int) -> tuple[World, Truth]:
    """The cases with outcomes `won`, decided on a day that the seed draws between the cut and the horizon."""
    rnd = Random(seed)
    people, deals, changes, touches = [], [], [], []
    wins: dict[str, datetime] = {}
    losses: dict[
        str, datetime
    ] = {}  # a declined application is a lost deal, though no deal record stands for it
    scored = {loan.key: loan.created + timedelta(days=SEEN_DAYS) for loan in loans}
    for n, (loan, won_it) in enumerate(zip(loans, won, strict=True)):
        decided = scored[loan.key] + timedelta(days=rnd.uniform(0.5, HORIZON_DAYS - SEEN_DAYS - 0.5))
        sdr, ae, still = SDRS[n % len(SDRS)], AES[n % len(AES)], decided > NOW
        if won_it:
            wins[loan.key] = decided
        elif decided <= NOW:
            losses[loan.key] = decided
        status = "new" if still else "converted" if won_it else "disqualified"
        person = Person(
            loan.key, None, loan.key, None, f"Applicant {loan.key}", None, loan.created,
            loan.created if still else decided, ae if status == "converted" else sdr, status,
            {AMOUNT.name: loan.amount},
        )  # fmt: skip
        people.append(person)
        if not still:
            changes.append(FieldChange("person", loan.key, "status", decided, "new", status, sdr))
        if not still and won_it:
            changes.append(FieldChange("person", loan.key, "owner", decided, sdr, ae, sdr))
            person.converted_at, person.deal = decided, f"D{loan.key[1:]}"
            deals.append(Deal(person.deal, f"Loan {loan.key}", None, [loan.key], ae, loan.amount, "won", decided, decided, decided))  # fmt: skip
        touches += _touches(loan, sdr)
    changes.sort(key=lambda change: (change.at, change.key))
    touches.sort(key=lambda touch: (touch.at, touch.key))
    made = World(
        "loan-applications, outcomes drawn anew", NOW, make_owners(), [], people, deals, changes, touches,
        [AMOUNT],
    )  # fmt: skip
    truth = Truth(
        HORIZON_DAYS, {}, scored, [], {},
        dict.fromkeys((loan.key for loan in loans), "standard"), wins, losses,
        deals={person.key: person.deal for person in people if person.deal is not None},
        amounts={loan.key: loan.amount for loan in loans},
    )  # fmt: skip
    return made, truth


def _touches(loan: Loan, sdr: str) -> list[Touch]:
    """Its events as a CRM has them; what the applicant sends back is an answer, what the system does a machine's."""
    found = []
    for n, (at, activity, transition, resource) in enumerate(loan.events):
        answer = activity in ("O_SENT_BACK", "A_SUBMITTED")
        kind = "email_replied" if activity == "O_SENT_BACK" else "form" if answer else _KINDS[activity[0]]
        detail = {"subject": f"{activity} {transition}".replace("_", " "), "channel": "email" if "email" in kind else "phone"}  # fmt: skip
        found.append(Touch(
            f"T{loan.key[1:]}-{n:03d}", kind, loan.key, at, None, None if answer else sdr,
            "machine" if resource == 0 and not answer else "person", detail,
        ))  # fmt: skip
    return found
