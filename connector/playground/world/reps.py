"""The simulated reps: some days in the life of a sales team, on the org's own clock.

Attention follows what the CRM shows (score and route), so a low score means fewer looks. What leads go on to do, and
how they end, comes from the truth; no rep sees it but through a mist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from connector.playground.desk import Desk, Refused, View
from connector.playground.org import Org
from connector.playground.world.arrivals import Arrivals, Newcomer
from connector.playground.world.model import Fate, Touch, Truth
from connector.playground.world.rep import Rep, number
from connector.playground.world.scenario import Reps

DAY_MS = 86_400_000
REVIEWS_AN_HOUR = 10
"""Six minutes each (SPEC S5.6)."""
FORMS_A_DAY = 12
SEEN = 400
"""The list that reps work from: so many leads from the top, and some from further down."""
ROUTE_DRAW = {
    "person_ae": 8.0,
    "person_sdr": 6.0,
    "review": 1.5,
    "nurture": 0.4,
    "held": 0.0,
    "unscored": 1.0,
}
REST_DAYS = 4
"""A rep who was at a lead lets it rest so long, and each look makes the next one less likely."""
DEAL_BEFORE_WIN_DAYS = (10, 30)
OFFICE_HOURS = (8, 18)
"""by the org's clock, UTC"""

_Task = tuple[int, int, Callable[[], None]]


def react(
    desk: Desk,
    org: Org,
    truth: Truth | None,
    days: float,
    seed: int,
    arrivals: Arrivals | None = None,
    team: Reps = Reps(),
) -> dict[str, int]:
    """Let `days` pass: touches of leads, looks, calls, tags, overrides, reviews, forms, deals, merges; with `arrivals`
    new leads come. What was done, counted."""
    rnd = Random(seed)
    end = org.now() + round(days * DAY_MS)
    coming: list[Newcomer] = []
    if truth is not None and arrivals is not None:
        coming, truth = arrivals.until(end), arrivals.joined(truth, end)
    rep = Rep(desk, truth, rnd, team=team)
    users = sorted(desk.owners())
    life = None if truth is None or not users else _Life(desk, org, truth, rep, users, coming)
    while (start := org.now()) < end:
        step = min(DAY_MS, end - start)
        tasks = _team_day(desk, org, rep, users, start, step)
        if life is not None:
            tasks += life.tasks(start, step, len(tasks))
        for at, _, act in sorted(tasks, key=lambda task: task[:2]):
            org.advance(max(0, at - org.now()))
            act()
        org.advance(max(0, start + step - org.now()))
    return dict(sorted(rep.counts.items()))


def _team_day(desk: Desk, org: Org, rep: Rep, users: Sequence[str], start: int, step: int) -> list[_Task]:
    """Who looks at what in this day (or part of one), at which moment."""
    rnd, share = rep.rnd, step / DAY_MS
    leads = list(desk.leads(limit=SEEN))
    leads += desk.leads(limit=SEEN // 4, offset=SEEN + rnd.randrange(SEEN * 5))
    tasks: list[_Task] = []

    def add(act: Callable[[], None]) -> None:
        tasks.append((_moment(start, step, rnd), len(tasks), act))

    looked: dict[str, list[int]] = org.meta("looks", {})
    rested = [lead for lead in leads if start - looked.get(lead.id, [0])[0] > REST_DAYS * DAY_MS]
    for lead in _drawn(rested, round(rep.team.hours * len(users) * share), rnd, looked):
        looked[lead.id] = [start, looked.get(lead.id, [0, 0])[1] + 1]
        add(lambda lead=lead: rep.look(desk.view("lead", lead.id), _owner(lead, users)))  # type: ignore[misc]
    org.set_meta("looks", looked)
    due = [lead for lead in leads if _asks(lead)]
    for lead in due[: round(FORMS_A_DAY * share)]:
        add(lambda lead=lead: rep.form(lead, _owner(lead, users)))  # type: ignore[misc]
    cases = sorted(desk.reviews(open_only=True), key=lambda case: str(case.values.get("candor_due") or "9"))
    for case in cases[: round(rep.team.review_hours * REVIEWS_AN_HOUR * share)]:
        add(lambda case=case: rep.review(case, users[-1]))  # type: ignore[misc]
    return tasks


def _moment(start: int, step: int, rnd: Random) -> int:
    """Some time in the step, in office hours where it has any."""
    at = start
    for _ in range(12):
        at = start + round(step * rnd.random())
        if OFFICE_HOURS[0] <= at % DAY_MS / 3_600_000 < OFFICE_HOURS[1]:
            break
    return at


def _drawn(leads: Sequence[View], count: int, rnd: Random, looked: Mapping[str, Sequence[int]]) -> list[View]:
    """The leads that get a look today: by route and score, or by chance where nothing is scored."""
    if not leads or not count:
        return []
    weights = []
    for lead in leads:
        score = number(lead.values.get("candor_score"))
        draw = ROUTE_DRAW.get(str(lead.values.get("candor_route")), 1.0)
        worth = 0.25 if score is None else 0.1 + (score / 100) ** 2
        weights.append(draw * worth / (1 + looked.get(lead.id, (0, 0))[1]))
    count = min(count, round(sum(weights)))  # nobody fills a day with leads that promise nothing
    if not count:
        return []
    found = rnd.choices(leads, weights, k=count)
    return list({lead.id: lead for lead in found}.values())


def _asks(lead: View) -> bool:
    """A form is due and nothing of it answered yet."""
    due = lead.values.get("candor_feedback_due") not in (None, "", "none")
    return due and not any(lead.values.get(f"candor_feedback_{n}") for n in range(1, 6))


def _owner(lead: View, users: Sequence[str]) -> str:
    owner = lead.values.get("owner_id")
    return str(owner) if owner in users else users[sum(lead.id.encode()) % len(users)]


@dataclass(slots=True)
class _Life:
    """What leads do by themselves: they come, their touches, deals that open, and how those end; and what becomes of
    their records."""

    desk: Desk
    org: Org
    truth: Truth
    rep: Rep
    users: Sequence[str]
    coming: Sequence[Newcomer]
    ids: dict[str, str] = field(default_factory=dict)
    """the world's key -> its record, or the one it was merged into; those that come are added as they do"""
    ahead: Sequence[tuple[int, Touch]] = field(init=False)
    ends: Sequence[tuple[int, str, bool]] = field(init=False)
    """(time, key, whether it is won): both as the truth has them, their times read once rather than each day"""

    def __post_init__(self) -> None:
        truth, now = self.truth, self.org.now()
        self.ahead = [(at, touch) for touch in truth.ahead if (at := _ms(touch.at)) > now]
        self.ends = [
            (at, key, won) for won, ends in ((True, truth.wins), (False, truth.losses))
            for key, moment in ends.items() if (at := _ms(moment)) > now
        ]  # fmt: skip

    def tasks(self, start: int, step: int, first: int) -> list[_Task]:
        ids = self.ids = record_ids(self.org, "lead", "contacts")
        made: dict[str, str] = self.org.meta("reps", {})
        found: list[tuple[int, Callable[[], None]]] = []
        # What the clock was advanced past without reps comes in at once.
        new = [
            one for one in self.coming if _ms(one.person.created_at) <= start + step and not self._came(one)
        ]
        for one in new:
            at = max(_ms(one.person.created_at), start)
            found.append((at, lambda one=one: self._arrive(one)))  # type: ignore[misc]
        here = ids.keys() | {one.person.key for one in new}
        for at, touch in self.ahead:
            if start < at <= start + step and touch.person in here:
                found.append((at, lambda touch=touch: self._touch(touch)))  # type: ignore[misc]
        for fate in self.truth.fates:
            at = _ms(fate.at)
            if start < at <= start + step:
                found.append((at, lambda fate=fate: self._befall(fate)))  # type: ignore[misc]
        for at, key, won in self.ends:
            if key not in ids or at <= start:
                continue
            opens = at - self._lead_time(key)
            if opens <= start + step and key not in made and key not in self.truth.deals:
                found.append((max(opens, start), lambda key=key: self._open(key)))  # type: ignore[misc]
            if at <= start + step:
                found.append((at, lambda key=key, won=won: self._close(key, won)))  # type: ignore[misc]
        return [(at, first + n, act) for n, (at, act) in enumerate(found)]

    def _came(self, one: Newcomer) -> bool:
        return _ms(one.person.created_at) <= int(self.org.meta("arrived", -1))

    def _arrive(self, one: Newcomer) -> None:
        self.ids[one.person.key] = self.desk.make_lead(one.person, one.account)
        self.org.set_meta("arrived", max(_ms(one.person.created_at), int(self.org.meta("arrived", -1))))
        self.rep.counts["new leads"] += 1

    def _befall(self, fate: Fate) -> None:
        """A merge, a deletion, a restoration. What has been converted or is gone by now is left alone."""
        by = self.users[sum(fate.key.encode()) % len(self.users)]
        lead = self.ids.get(fate.key) or deleted_id(self.org, fate.key)
        try:
            if lead is None:
                raise KeyError(fate.key)
            if fate.kind == "merged":
                into = self.ids[str(fate.into)]
                self.ids[fate.key] = self.ids[str(fate.into)] = self.desk.merge(lead, into, by=by)
            elif fate.kind == "deleted":
                self.desk.delete(lead, by=by)
            else:
                self.desk.restore(lead, by=by)
        except (Refused, KeyError):
            self.rep.counts["refused"] += 1
        else:
            self.rep.counts[fate.kind] += 1

    def _touch(self, touch: Touch) -> None:
        lead = self.ids[touch.person]
        detail = {**touch.detail, **({"actor": "machine"} if touch.actor == "machine" else {})}
        self.rep.log("touches", lead, touch.kind, self.users[sum(lead.encode()) % len(self.users)], detail)

    def _lead_time(self, key: str) -> int:
        low, high = DEAL_BEFORE_WIN_DAYS
        return (low + sum(key.encode()) * 7919 % (high - low)) * DAY_MS

    def _open(self, key: str) -> None:
        lead = self.ids[key]
        try:
            view = self.desk.view("lead", lead)
            self.rep.take(view, _owner(view, self.users))
            amount = self.truth.amounts.get(key, 20_000.0)
            deal = self.desk.make_deal(lead, amount=amount, by=_owner(view, self.users))
        except (Refused, KeyError):
            self.rep.counts["refused"] += 1
            return
        self.rep.counts["deals"] += 1
        self.org.set_meta("reps", {**self.org.meta("reps", {}), key: deal})

    def _close(self, key: str, won: bool) -> None:
        deal = self.org.meta("reps", {}).get(key)
        if deal is None and key in self.truth.deals:
            deal = record_ids(self.org, "deal", "deals", "opportunity").get(self.truth.deals[key])
        if deal is None:
            return
        view = self.desk.view("deal", deal)
        by = _owner(view, self.users)
        if self.rep.write("won" if won else "lost", "deal", deal, {"stage": "won" if won else "lost"}, by):
            score = number(view.values.get("candor_score_at_conversion"))
            self.rep.closing_question("deal", deal, won=won, score=score, by=by)


def record_ids(org: Org, *objects: str) -> dict[str, str]:
    """The world's key -> the record's id, of objects by any vendor's names (in small letters). A lead that was merged is
    what it was merged into; one in the bin is none."""
    marks = ", ".join("?" * len(objects))
    rows = org.sql(
        "select json_extract(data, '$._key'), id, deleted, "
        "coalesce(json_extract(data, '$.MasterRecordId'), json_extract(data, '$._merged_into')) "
        f"from record where lower(obj) in ({marks})",
        objects,
    )
    live = {id for _, id, deleted, _ in rows if not deleted}
    into = {id: other for _, id, deleted, other in rows if deleted and other}
    found: dict[str, str] = {}
    for key, id, deleted, _ in rows:
        at = id
        while deleted and at in into:
            at = into[at]
        if key and at in live and (not deleted or key not in found):
            found[key] = at
    return found


def deleted_id(org: Org, key: str) -> str | None:
    """The lead of this key in the bin."""
    rows = org.sql(
        "select id from record where lower(obj) in ('lead', 'contacts') and deleted = 1 "
        "and json_extract(data, '$._key') = ? order by id desc limit 1",
        (key,),
    )
    return str(rows[0][0]) if rows else None


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
