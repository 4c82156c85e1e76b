"""Who else of the company is engaged, together with whom, after whom."""

from __future__ import annotations

from typing import Any

import ibis

from scoring.features.inputs import DAY, END_OF_TIME, HOUR

MONTH, WEEK = 30 * DAY, 7 * DAY

CROWD = 500
"""Leads under one account or domain. Beyond it stands a dumping ground, a university, a mail provider that no list
knows: nobody's colleagues, and their pairs grow with the square."""

BUSINESS = ("business", "finance", "marketing", "sales", "operations")
EXECUTIVE_LEVELS = ("c_level", "vp")


def keys(values: Any, leads: Any) -> Any:
    """(lead_id, key, since, until): the account and the company domain of a lead, while they were known.

    A key ends for all its leads when one more than CROWD of them has come: from then on it is no company.
    """
    found = values.filter(values.field.isin(["account_id", "~domain"]), values.value.notnull())
    found = found.inner_join(leads, "lead_id")
    found = found.select(
        "lead_id",
        "until",
        key=found.field + ":" + found.value,
        since=ibis.greatest(found.since, found.created_at),
    )
    ranked = found.mutate(rank=ibis.row_number().over(group_by="key", order_by="since"))
    crowded = ranked.since.max(where=ranked.rank == CROWD).over(ibis.window(group_by="key"))
    found = ranked.mutate(until=ibis.least(ranked.until, crowded.fill_null(END_OF_TIME)))
    return found.filter(found.since < found.until).select("lead_id", "key", "since", "until")


def members(points: Any, company: Any) -> Any:
    """(point, as_of, lead_id, mate, own): a row for the lead itself (`own`) and for each colleague known at
    `as_of`."""
    mine = points.inner_join(company, _at_the_time(points, company)).select(
        "point", "lead_id", "as_of", "key"
    )
    theirs = company.rename(mate="lead_id")
    both = mine.inner_join(
        theirs,
        [
            mine.key == theirs.key,
            theirs.since <= mine.as_of,
            theirs.until > mine.as_of,
            theirs.mate != mine.lead_id,
        ],
    )
    colleagues = both.select("point", "as_of", "lead_id", "mate").distinct().mutate(own=False)
    return colleagues.union(points.select("point", "as_of", "lead_id", mate=points.lead_id, own=True))


def _at_the_time(points: Any, company: Any) -> list[Any]:
    return [points.lead_id == company.lead_id, company.since <= points.as_of, company.until > points.as_of]


def with_company(points: Any, company: Any) -> Any:
    """(point) of the points whose lead's account or company domain was known."""
    known = points.semi_join(company, _at_the_time(points, company))
    return known.select("point").mutate(company_known=True)


def recent(member: Any, touches: Any) -> Any:
    """(point, mate, own, day, together, kind, at): touches of all members in the 30 days up to `as_of`."""
    by_person = touches.filter(touches.engaged)
    found = member.inner_join(
        by_person,
        [
            member.mate == by_person.lead_id,
            by_person.at <= member.as_of,
            by_person.at > member.as_of - MONTH,
        ],
    )
    return found.select(
        "point", "mate", "own", "at", "kind", "together", day=(found.at / DAY).floor().cast("int64")
    )


def activity(touch: Any) -> Any:
    """(point, …): counts over the recent touches of a company."""
    return touch.group_by("point").aggregate(
        colleagues_engaged_30d=touch.mate.nunique(where=~touch.own),
        account_touches_30d=touch.count(),
        colleague_forwards_30d=touch.count(where=~touch.own & (touch.kind == "email_forwarded")),
        committee_size=touch.mate.nunique(),
    )


def coordination(touch: Any) -> Any:
    """(point, …): what the lead and a colleague did on one day, or together."""
    own, others = touch.filter(touch.own), touch.filter(~touch.own)
    same_day = others.semi_join(own, ["point", "day"]).group_by("point")
    same_day = same_day.aggregate(same_day_colleagues_30d=lambda t: t.mate.nunique())
    shared = others.filter(others.together.notnull()).semi_join(own, ["point", "together"]).group_by("point")
    shared = shared.aggregate(shared_sessions_30d=lambda t: t.together.nunique())
    both = same_day.outer_join(shared, "point")
    return both.select(
        "same_day_colleagues_30d", "shared_sessions_30d", point=ibis.coalesce(both.point, both.point_right)
    )


def committee(touch: Any, member: Any, values: Any) -> Any:
    """(point, …): job functions among the engaged members, by their titles as known at `as_of`."""
    engaged = member.semi_join(touch, ["point", "mate"])
    titles = values.filter(values.field.isin(["~function", "~seniority"]))
    found = engaged.inner_join(
        titles,
        [
            engaged.mate == titles.lead_id,
            titles.since <= engaged.as_of,
            titles.until > engaged.as_of,
        ],
    )
    by_function = found.field == "~function"
    known = by_function & ~found.value.isin(["other", "unknown"])
    executive = (by_function & (found.value == "executive")) | (
        ~by_function & found.value.isin(EXECUTIVE_LEVELS)
    )
    return found.group_by("point").aggregate(
        functions_engaged_30d=found.value.nunique(where=known & ~found.own),
        has_executive_in_committee=found.count(where=executive) > 0,
        has_business_in_committee=found.count(where=by_function & found.value.isin(BUSINESS)) > 0,
    )


def following(member: Any, touches: Any) -> Any:
    """(point, …): colleagues whose first touch came after the lead's own, and forwards that came before
    it."""
    by_person = touches.filter(touches.engaged)
    first = (
        by_person.group_by("lead_id")
        .aggregate(first=by_person.at.min())
        .select(mate="lead_id", first="first")
    )
    mine = first.select(lead_id="mate", own_first="first")
    others = member.filter(~member.own).inner_join(mine, "lead_id")
    others = others.filter(others.own_first <= others.as_of)

    after = others.inner_join(first, "mate")
    after = after.filter(
        after.first > after.own_first, after.first <= after.own_first + WEEK, after.first <= after.as_of
    )
    followers = after.group_by("point").aggregate(
        followers_7d=after.mate.nunique(), first_follower_hours=(after.first - after.own_first).min() / HOUR
    )

    forwards = by_person.filter(by_person.kind == "email_forwarded").select("at", mate="lead_id")
    before = others.inner_join(
        forwards,
        [
            others.mate == forwards.mate,
            forwards.at <= others.own_first,
            forwards.at > others.own_first - MONTH,
        ],
    )
    introduced = before.group_by("point").aggregate(introduced=before.count())
    both = followers.outer_join(introduced, "point")
    return both.select(
        "followers_7d",
        "first_follower_hours",
        "introduced",
        point=ibis.coalesce(both.point, both.point_right),
    )


def features(row: Any) -> dict[str, Any]:
    """Expressions on a point's row, after the tables above are joined to it. Without a known company the
    family is blank; the committee then is the lead alone."""
    company = row.company_known.fill_null(False)

    def counted(name: str) -> Any:
        return company.ifelse(row[name].fill_null(0), None)

    told = row["~referred"].cast("float64")
    introduced = (row.introduced.fill_null(0) > 0).ifelse(1.0, None)
    unknown_functions = (row.colleagues_engaged_30d.fill_null(0) > 0) & (
        row.functions_engaged_30d.fill_null(0) == 0
    )
    columns = {
        name: counted(name)
        for name in (
            "colleagues_engaged_30d",
            "same_day_colleagues_30d",
            "shared_sessions_30d",
            "colleague_forwards_30d",
            "account_touches_30d",
            "followers_7d",
        )
    }
    return columns | {
        "functions_engaged_30d": unknown_functions.ifelse(None, counted("functions_engaged_30d")),
        "first_follower_hours": row.first_follower_hours,
        "referral": ibis.coalesce(introduced, told),
        "committee_size": row.committee_size.fill_null(0),
        "has_executive_in_committee": row.has_executive_in_committee.fill_null(False).cast("float64"),
        "has_business_in_committee": row.has_business_in_committee.fill_null(False).cast("float64"),
    }
