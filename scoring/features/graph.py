"""Who else of the company is engaged, together with whom, after whom.

Pairs of colleagues grow with the square of a company, so only those are made that can count: a colleague must have touched
something lately, or come within a week of the other. What a colleague did is added up once for each moment that is asked
for, not once a pair.
"""

from __future__ import annotations

from typing import Any

import ibis

from scoring.features.inputs import DAY, END_OF_TIME, HOUR
from scoring.features.titles import FUNCTIONS
from scoring.features.touches import CHANNELS

MONTH, WEEK = 30 * DAY, 7 * DAY

DOMAIN = "~domain:"
"""how the key of a company's e-mail domain begins"""

CROWD = 500
"""Leads under one account or domain. Beyond it stands a dumping ground, a university, a mail provider that no list
knows: nobody's colleagues, and their pairs grow with the square."""

BUSINESS = ("business", "finance", "marketing", "sales", "operations")
EXECUTIVE_LEVELS = ("c_level", "vp")


def named(values: Any, derived: Any, leads: Any) -> Any:
    """(lead_id, key, since, until): the account and the company domain of a lead, while they were known."""
    domains = derived.filter(derived["~domain"].notnull()).select(
        "field", "value", domain=ibis.literal(DOMAIN) + derived["~domain"]
    )
    by_domain = values.filter(values.field == "email").inner_join(domains, ["field", "value"])
    account = values.filter(values.field == "account_id", values.value.notnull())
    found = by_domain.select("lead_id", "since", "until", key="domain").union(
        account.select("lead_id", "since", "until", key=ibis.literal("account_id:") + account.value)
    )
    found = found.inner_join(leads, "lead_id")
    found = found.select("lead_id", "until", "key", since=ibis.greatest(found.since, found.created_at))
    return found.filter(found.since < found.until)


def companies(found: Any) -> Any:
    """The same with keys as numbers.

    A key ends for all its leads when one more than CROWD of them has come: from then on it is no company.
    """
    size = found.group_by("key").aggregate(size=found.count())
    numbered = size.mutate(number=ibis.row_number().over(order_by="key").cast("int64"))
    found = found.inner_join(numbered, "key").select("lead_id", "since", "until", "size", key="number")
    large = found.filter(found["size"] > CROWD)
    ranked = large.mutate(rank=ibis.row_number().over(group_by="key", order_by="since"))
    ended = ranked.filter(ranked["rank"] == CROWD).select("key", ended="since")
    found = found.left_join(ended, "key").drop("key_right")
    found = found.mutate(until=ibis.least(found.until, found.ended.fill_null(END_OF_TIME)))
    return found.filter(found.since < found.until).select("lead_id", "key", "since", "until")


def sides(points: Any, company: Any) -> Any:
    """(point, lead_id, as_of, key): what a point's lead was known to belong to."""
    mine = points.inner_join(
        company,
        [points.lead_id == company.lead_id, company.since <= points.as_of, company.until > points.as_of],
    )
    return mine.select("point", "lead_id", "as_of", "key")


def touched(lately: Any, first: int) -> Any:
    """(lead_id, at, kind, together): touches since MONTH before the first point."""
    by_person = lately.filter(lately.engaged, lately["at"] > first - MONTH)
    return by_person.select("lead_id", "at", "kind", "together")


def mates(side: Any, company: Any, touch: Any) -> Any:
    """(point, lead_id, as_of, mate): the colleagues known at `as_of` who touched anything lately."""
    theirs = company.semi_join(touch, "lead_id").rename(mate="lead_id")
    both = side.inner_join(
        theirs,
        [
            side.key == theirs.key,
            theirs.since <= side.as_of,
            theirs.until > side.as_of,
            theirs.mate != side.lead_id,
        ],
    )
    return both.select("point", "lead_id", "as_of", "mate").distinct()


def moments(points: Any, mate: Any) -> Any:
    """(lead_id, as_of): everybody whose recent touches count, at each moment that is asked for once."""
    theirs = mate.select("as_of", lead_id="mate")
    return points.select("as_of", "lead_id").union(theirs).distinct()


def months(moment: Any, touch: Any) -> Any:
    """(lead_id, as_of, day, kind, together): touches in the 30 days up to each moment."""
    found = moment.inner_join(
        touch,
        [
            moment.lead_id == touch.lead_id,
            touch["at"] <= moment.as_of,
            touch["at"] > moment.as_of - MONTH,
        ],
    )
    return found.select("lead_id", "as_of", "kind", "together", day=(found["at"] / DAY).floor().cast("int64"))


def people(month: Any, values: Any, derived: Any) -> Any:
    """(lead_id, as_of, touches, forwards, function, executive, business): what each did in a month, and as what."""
    done = month.group_by("lead_id", "as_of").aggregate(
        touches=month.count(), forwards=month.count(where=month.kind == "email_forwarded")
    )
    words = derived.filter(derived["~function"].notnull()).select(
        "field", "value", function=derived["~function"], seniority=derived["~seniority"]
    )
    titles = values.filter(values.field == "title").inner_join(words, ["field", "value"])
    titles = titles.select("since", "until", "function", "seniority", holder="lead_id")
    found = done.left_join(
        titles,
        [done.lead_id == titles.holder, titles.since <= done.as_of, titles.until > done.as_of],
    )
    executive = (found.function == "executive") | found.seniority.isin(EXECUTIVE_LEVELS)
    return found.select(
        "lead_id",
        "as_of",
        "touches",
        "forwards",
        "function",
        executive=executive.fill_null(False).cast("int64"),
        business=found.function.isin(BUSINESS).fill_null(False).cast("int64"),
    )


def own(points: Any, person: Any) -> Any:
    """(point, …): the lead's own month."""
    found = points.inner_join(person, ["lead_id", "as_of"])
    return found.select("point", own_touches="touches", own_executive="executive", own_business="business")


def activity(mate: Any, person: Any) -> Any:
    """(point, …): the month of all colleagues, and the functions they have by their titles as known at `as_of`."""
    theirs = person.rename(mate="lead_id")
    found = mate.inner_join(theirs, ["mate", "as_of"])
    known = [name for name in FUNCTIONS if name != "other"]
    return found.group_by("point").aggregate(
        colleagues=found.count(),
        touches=found.touches.sum(),
        forwarded=found.forwards.sum(),
        executive=found.executive.max(),
        business=found.business.max(),
        **{f"f_{name}": found.count(where=found.function == name) for name in known},
    )


def same_day(points: Any, mate: Any, month: Any) -> Any:
    """(point, same_day): colleagues who did something on a day on which the lead did."""
    days = month.select("lead_id", "as_of", "day").distinct()
    return _shared(points, mate, days, "day").group_by("point").aggregate(same_day=lambda t: t.mate.nunique())


def occasions(month: Any) -> Any:
    """(lead_id, as_of, together) of what more than one took part in."""
    met = month.filter(month.together.notnull()).select("lead_id", "as_of", "together").distinct()
    some = met.group_by("as_of", "together").aggregate(there=met.count())
    return met.semi_join(some.filter(some.there > 1), ["as_of", "together"])


def together(points: Any, mate: Any, met: Any) -> Any:
    """(point, occasions): what the lead and a colleague took part in at once."""
    shared = _shared(points, mate, met, "together")
    return shared.group_by("point").aggregate(occasions=lambda t: t.together.nunique())


def _shared(points: Any, mate: Any, rows: Any, column: str) -> Any:
    """(point, mate, `column`) where the lead and the colleague have the same."""
    own = points.inner_join(rows, ["lead_id", "as_of"]).select("point", column)
    theirs = mate.semi_join(own, "point").inner_join(rows.rename(mate="lead_id"), ["mate", "as_of"])
    return theirs.select("point", "mate", column).semi_join(own, ["point", column])


def following(side: Any, company: Any, life: Any) -> Any:
    """(point, followers, followed_after, followed_by): colleagues whose first touch came within a week after the lead's own,
    and the channel of most of these first touches; of channels that are as many, and of touches of one moment, the one
    that comes first in CHANNELS.

    They are looked for by key and week: a week after falls into the week of the own touch or the next.
    """
    # A moment and, in its last two bits, the channel: the least is the first touch, whatever the order of rows.
    least = life.group_by("lead_id").aggregate(both=(life["at"] * 4 + life.channel).min())
    first = least.select("lead_id", first=least.both >> 2, channel=least.both & 3)
    mine = side.inner_join(first, "lead_id").filter(lambda t: t["first"] <= t.as_of)
    mine = mine.select(
        "point", "lead_id", "as_of", "key", own_first="first", week=_number(mine["first"], WEEK)
    )
    mine = mine.union(mine.mutate(week=mine.week + 1))
    theirs = company.inner_join(first, "lead_id")
    theirs = theirs.select(
        "key", "since", "until", "first", "channel", mate="lead_id", week=_number(theirs["first"], WEEK)
    )
    after = mine.inner_join(
        theirs,
        [
            mine.key == theirs.key,
            mine.week == theirs.week,
            theirs["first"] > mine.own_first,
            theirs["first"] <= mine.own_first + WEEK,
            theirs["first"] <= mine.as_of,
            theirs.since <= mine.as_of,
            theirs.until > mine.as_of,
            theirs.mate != mine.lead_id,
        ],
    )
    after = after.select("point", "mate", "channel", gap=after["first"] - after.own_first).distinct()
    ways = {name: after.count(where=after.channel == place) for place, name in enumerate(CHANNELS)}
    found = after.group_by("point").aggregate(followers=after.count(), followed_after=after.gap.min(), **ways)
    most = ibis.greatest(*(found[name] for name in CHANNELS))
    return found.select(
        "point",
        "followers",
        "followed_after",
        followed_by=ibis.cases(*((found[name] == most, name) for name in CHANNELS)),
    )


def introduced(side: Any, company: Any, life: Any) -> Any:
    """(point, introduced): points whose lead had its first touch in the month after a colleague passed an e-mail on."""
    senders = company.inner_join(life.filter(life.forward), "lead_id")
    senders = senders.select("key", "since", "until", "at", mate="lead_id")
    mine = side.semi_join(senders, "key")
    first = life.semi_join(mine, "lead_id").group_by("lead_id").aggregate(first=lambda t: t["at"].min())
    mine = mine.inner_join(first, "lead_id").filter(lambda t: t["first"] <= t.as_of)
    before = mine.inner_join(
        senders,
        [
            mine.key == senders.key,
            senders["at"] <= mine["first"],
            senders["at"] > mine["first"] - MONTH,
            senders.since <= mine.as_of,
            senders.until > mine.as_of,
            senders.mate != mine.lead_id,
        ],
    )
    return before.select("point").distinct().mutate(introduced=True)


def _number(at: Any, length: int) -> Any:
    """The number of the stretch of that length in which a moment lies."""
    return (at / length).floor().cast("int64")


def features(row: Any) -> dict[str, Any]:
    """Expressions on a point's row, after the tables above are joined to it. Without a known company the
    family is blank; the committee then is the lead alone."""
    company = row.company_known.fill_null(False)
    colleagues, own_touches = row.colleagues.fill_null(0), row.own_touches.fill_null(0)

    def counted(value: Any) -> Any:
        return company.ifelse(value.fill_null(0), None)

    told = row["~referred"].cast("float64")
    functions = sum(
        ((row[f"f_{name}"].fill_null(0) > 0).cast("int64") for name in FUNCTIONS if name != "other"),
        start=ibis.literal(0, "int64"),
    )
    unknown_functions = (colleagues > 0) & (functions == 0)
    executive = row.executive.fill_null(0) + row.own_executive.fill_null(0)
    business = row.business.fill_null(0) + row.own_business.fill_null(0)
    return {
        "colleagues_engaged_30d": counted(row.colleagues),
        "functions_engaged_30d": (company & ~unknown_functions).ifelse(functions, None),
        "same_day_colleagues_30d": counted(row.same_day),
        "shared_sessions_30d": counted(row.occasions),
        "colleague_forwards_30d": counted(row.forwarded),
        "copied_colleagues_30d": counted(row.copied),
        "account_touches_30d": counted(row.touches.fill_null(0) + own_touches),
        "followers_7d": counted(row.followers),
        "first_follower_hours": row.followed_after / HOUR,
        "follower_channel": row.followed_by,
        "referral": ibis.coalesce(row.introduced.fill_null(False).ifelse(1.0, None), told),
        "committee_size": colleagues + (own_touches > 0).cast("int64"),
        "has_executive_in_committee": (executive > 0).cast("float64"),
        "has_business_in_committee": (business > 0).cast("float64"),
    }
