"""The features of scale_org's facts with pandas, as a careful analyst would write them: merges, shifts and grouped sums over
whole columns, no loop over leads. Run by features_scale in an environment of its own (Candor itself does without pandas):
`python scale_pandas.py FOLDER NOW WORDS OUT` writes OUT and prints the seconds that reading and computing took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

DAY, HOUR = 86_400_000_000, 3_600_000_000
TOUCHES = {
    "page_view", "form", "download", "webinar", "email_opened", "email_clicked", "email_replied", "email_forwarded",
    "meeting", "campaign_response",
}  # fmt: skip
BLANK = {"n/a", "unknown", "", "-", "none", "null"}
CHANNEL = {
    "page_view": "site", "form": "site", "download": "site", "webinar": "event", "campaign_response": "event",
    "email_opened": "email", "email_clicked": "email", "email_replied": "email", "email_forwarded": "email",
    "call": "phone", "meeting": "phone",
}  # fmt: skip


EMAILS = ("email_sent", "email_replied", "email_forwarded")
WAYS = ("phone", "event", "email", "site")


def features(folder: Path, now: int, words: pd.DataFrame) -> pd.DataFrame:
    leads = pd.read_parquet(folder / "leads.parquet")
    acts = pd.read_parquet(folder / "activities.parquet").query("at <= @now")
    record = _record(folder, leads, now)
    out = pd.DataFrame({"lead_id": leads.lead_id}).set_index("lead_id")
    answered = acts.answered.fillna(False).astype(bool)
    acts["touch"] = (acts.actor == "person") & (acts.kind.isin(TOUCHES) | ((acts.kind == "call") & answered))
    acts["asks"] = acts.kind.isin(["email_sent", "call"]) & (acts.actor == "person")
    acts["age"] = now - acts["at"]
    touches = acts[acts.touch].sort_values(["lead_id", "at", "activity_id"])
    _own(out, acts, touches, leads, now)
    _company(out, leads, record, acts, touches, words)
    _facts(out, record, words, now)
    return out.reset_index()


def _count(rows: pd.DataFrame, out: pd.DataFrame) -> pd.Series:
    return rows.groupby("lead_id").size().reindex(out.index, fill_value=0).astype("float64")


def _own(out: pd.DataFrame, acts: pd.DataFrame, touches: pd.DataFrame, leads: pd.DataFrame, now: int) -> None:
    def within(rows: pd.DataFrame, days: int) -> pd.DataFrame:
        return rows[rows.age < days * DAY]

    t30, t90 = within(touches, 30), within(touches, 90)
    page = touches[touches.kind == "page_view"]
    pause = page.groupby("lead_id")["at"].diff()
    before = page.groupby("lead_id").session.shift()
    same = (page.session == before) & page.session.notna()
    known = page.session.notna() & before.notna()
    starts = np.where(known, ~same.fillna(False) | (pause > DAY), (pause > 30 * 60_000_000) | pause.isna())
    page = page.assign(pause=pause, starts=starts)
    begun = page[page.starts & page.session.notna()]
    again = begun["at"] - begun.groupby(["lead_id", "session"])["at"].shift() <= DAY
    page.loc[begun.index[again], "starts"] = False
    page = within(page, 30)
    pages = page.groupby("lead_id").size()
    visits = 1 + page[page.starts & (page.age + page.pause < 30 * DAY)].groupby("lead_id").size()
    visits = visits.reindex(pages.index, fill_value=1)
    out["pages_per_session_30d"] = (pages / visits).reindex(out.index)
    out["return_visits_48h"] = _count(page[page.starts & (page.pause <= 48 * HOUR)], out)
    down = t90[(t90.kind == "download") & t90.content.notna()]
    read = t90[t90.kind.isin(["page_view", "download"]) & t90.content.notna()]
    out["doc_download_share"] = (
        (down.content == "documentation").groupby(down.lead_id).mean().reindex(out.index)
    )
    out["technical_content_share"] = (
        (read.content == "documentation").groupby(read.lead_id).mean().reindex(out.index)
    )
    r30 = within(read, 30)
    out["pricing_with_case_study_30d"] = np.minimum(
        _count(r30[r30.content == "pricing"], out), _count(r30[r30.content == "case_study"], out)
    )
    out["research_depth_30d"] = (
        t30.groupby("lead_id").area.nunique().reindex(out.index, fill_value=0).astype(float)
    )
    talk = acts[acts.asks | (acts.touch & (acts.kind == "email_replied"))].sort_values(
        ["lead_id", "at", "activity_id"]
    )
    talk = talk.assign(reply=~talk.asks)
    grouped = talk.lead_id
    asked = talk["at"].where(talk.asks).groupby(grouped).ffill()
    replied = talk["at"].where(talk.reply).groupby(grouped).ffill().groupby(grouped).shift()
    first = talk[talk.reply & (replied.isna() | (asked > replied)) & (talk.age < 90 * DAY)]
    hours = (first["at"] - asked[first.index]) / HOUR
    out["reply_hours_median"] = hours.groupby(first.lead_id).median().reindex(out.index)
    out["forwards_30d"] = _count(t30[t30.kind == "email_forwarded"], out)
    out["forms_30d"] = _count(t30[t30.kind == "form"], out)
    t14 = within(touches, 14)
    out["channels_14d"] = (
        t14.kind.map(CHANNEL).groupby(t14.lead_id).nunique().reindex(out.index, fill_value=0).astype(float)
    )
    out["lead_age_days"] = ((now - leads.set_index("lead_id").created_at).clip(lower=0) / DAY).reindex(
        out.index
    )
    age = touches.groupby("lead_id").age.agg(["max", "min"]).reindex(out.index)
    out["days_since_first_touch"], out["days_since_last_touch"] = age["max"] / DAY, age["min"] / DAY
    out["touches_7d"], out["touches_30d"] = _count(within(touches, 7), out), _count(t30, out)
    out["meetings_30d"] = _count(t30[t30.kind == "meeting"], out)
    quiet = touches.assign(pause=touches.groupby("lead_id")["at"].diff())
    quiet = quiet[(quiet.pause > 7 * DAY) & (quiet.age < 180 * DAY)]
    divided = quiet[(quiet.age + quiet.pause) < 90 * DAY]
    out["bursts_90d"] = (_count(divided, out) + 1).where(age["min"] < 90 * DAY, 0.0)
    out["mean_burst_gap_days"] = (quiet.groupby("lead_id").pause.mean() / DAY).reindex(out.index)
    out["dark_then_return"] = (
        _count(quiet[(quiet.age < 7 * DAY) & (quiet.pause >= 30 * DAY)], out) > 0
    ).astype(float)
    for days in (3, 7):
        lately, longer = _count(within(touches, days), out), _count(within(touches, days + 28), out)
        out[f"velocity_{days}d"] = (lately + 1) / ((longer - lately) * (days / 28) + 1)
    weight = (
        np.exp(-touches.age / (14 * DAY)).groupby(touches.lead_id).sum().reindex(out.index, fill_value=0.0)
    )
    out["recency_weighted_engagement"], out["engagement_touches"] = np.log(weight + 1), weight
    a30 = within(acts, 30)
    theirs = a30[~a30.kind.isin(["email_sent", "call", "task"])]
    machine, all_theirs = _count(theirs[theirs.actor == "machine"], out), _count(theirs, out)
    out["machine_share_30d"] = machine / all_theirs.replace(0, np.nan)
    out["machine_touches_30d"] = machine
    out["unsure_touches_30d"] = _count(theirs[theirs.actor == "unsure"], out)
    in_our_name = a30.kind.isin(["email_sent", "call", "task"]) & (a30.actor == "machine")
    out["machine_outreach_30d"] = _count(a30[in_our_name], out)
    out["outreach_30d"] = _count(a30[a30.kind.isin(["email_sent", "call"]) & (a30.actor == "person")], out)


def _company(
    out: pd.DataFrame,
    leads: pd.DataFrame,
    record: pd.DataFrame,
    acts: pd.DataFrame,
    touches: pd.DataFrame,
    words: pd.DataFrame,
) -> None:
    mail = words[words.field == "email"].set_index("value")["~domain"]
    domain = record.short.map(mail).dropna()
    account = leads.set_index("lead_id").account_key.dropna()
    keys = (
        pd.concat([("a" + account).rename("key"), ("d" + domain).rename("key")])
        .rename_axis("lead_id")
        .reset_index(name="key")
    )
    keys = keys[keys.groupby("key").lead_id.transform("size") <= 500]
    known = out.index.isin(keys.lead_id)
    month = touches[touches.age < 30 * DAY]
    together = month.session.fillna(
        (month.kind + month["at"].astype(str) + month.subject.fillna("")).where(
            month.kind.isin(["meeting", "call", "webinar"])
        )
    )
    month = month.assign(day=month["at"] // DAY, together=together)
    person = month.groupby("lead_id").agg(
        touches=("at", "size"), forwards=("kind", lambda k: (k == "email_forwarded").sum())
    )
    titles = words[words.field == "title"].set_index("value")
    title = record.title.reindex(person.index)
    person["function"], level = title.map(titles["~function"]), title.map(titles["~seniority"])
    person["executive"] = (person.function == "executive").fillna(False) | level.isin(["c_level", "vp"])
    person["business"] = person.function.isin(["business", "finance", "marketing", "sales", "operations"])
    mates = keys.merge(keys[keys.lead_id.isin(person.index)].rename(columns={"lead_id": "mate"}), on="key")
    mates = mates[mates.lead_id != mates.mate][["lead_id", "mate"]].drop_duplicates()
    did = mates.merge(person, left_on="mate", right_index=True)
    by_lead = did.groupby("lead_id")
    own = person.reindex(out.index)

    def counted(values: pd.Series) -> pd.Series:
        return values.reindex(out.index, fill_value=0).astype(float).where(known)

    colleagues = by_lead.size().reindex(out.index, fill_value=0)
    functions = did[~did.function.isin(["other", "unknown"])].groupby("lead_id").function.nunique()
    functions = functions.reindex(out.index, fill_value=0)
    out["colleagues_engaged_30d"] = counted(colleagues)
    out["functions_engaged_30d"] = counted(functions).where(~((colleagues > 0) & (functions == 0)))
    pairs = mates[mates.lead_id.isin(person.index)]
    days = month[["lead_id", "day"]].drop_duplicates()
    same = pairs.merge(days, on="lead_id").merge(days.rename(columns={"lead_id": "mate"}), on=["mate", "day"])
    out["same_day_colleagues_30d"] = counted(same.groupby("lead_id").mate.nunique())
    met = month.loc[month.together.notna(), ["lead_id", "together"]].drop_duplicates()
    met = met[met.groupby("together").lead_id.transform("size") > 1]
    shared = pairs.merge(met, on="lead_id").merge(
        met.rename(columns={"lead_id": "mate"}), on=["mate", "together"]
    )
    out["shared_sessions_30d"] = counted(shared.groupby("lead_id").together.nunique())
    out["colleague_forwards_30d"] = counted(by_lead.forwards.sum())
    mail = acts[acts.cc.notna() & (acts.age < 30 * DAY) & (acts.actor == "person") & acts.kind.isin(EMAILS)]
    who = (
        mail.set_index("lead_id")
        .cc.str.lower()
        .str.split(" ")
        .explode()
        .rename("who")
        .reset_index()
        .drop_duplicates()
    )
    who["host"] = who.who.str.split("@").str[1]
    hosts = keys.merge(domain.rename("host"), left_on="lead_id", right_index=True)[
        ["key", "host"]
    ].drop_duplicates()
    copied = who.merge(keys, on="lead_id").merge(hosts, on=["key", "host"])
    out["copied_colleagues_30d"] = counted(copied.groupby("lead_id").who.nunique())
    out["account_touches_30d"] = (
        by_lead.touches.sum().reindex(out.index, fill_value=0) + own.touches.fillna(0)
    ).where(known)
    way = touches.kind.map(CHANNEL).map({name: place for place, name in enumerate(WAYS)})
    both = (touches["at"] * 4 + way).groupby(touches.lead_id).min()
    first = pd.DataFrame({"first": both // 4, "way": both % 4})
    f = keys.merge(first, left_on="lead_id", right_index=True)
    f["week"] = f["first"] // (7 * DAY)
    mine = pd.concat([f, f.assign(week=f.week + 1)]).drop(columns="way")
    after = mine.merge(f, on=["key", "week"], suffixes=("", "_mate"))
    gap = after.first_mate - after["first"]
    after = after.assign(gap=gap)[(gap > 0) & (gap <= 7 * DAY) & (after.lead_id != after.lead_id_mate)]
    after = after.drop_duplicates(["lead_id", "lead_id_mate"])
    out["followers_7d"] = counted(after.groupby("lead_id").size())
    out["first_follower_hours"] = (after.groupby("lead_id").gap.min() / HOUR).reindex(out.index)
    ways = (
        after.groupby(["lead_id", "way"]).size().unstack(fill_value=0).reindex(columns=range(4), fill_value=0)
    )
    out["follower_channel"] = ways.idxmax(axis=1).map(dict(enumerate(WAYS))).reindex(out.index)
    sent = touches.loc[touches.kind == "email_forwarded", ["lead_id", "at"]]
    sent = keys.merge(sent, on="lead_id")
    before = f.merge(sent, on="key", suffixes=("", "_mate"))
    gap = before["first"] - before["at"]
    before = before[(gap >= 0) & (gap < 30 * DAY) & (before.lead_id != before.lead_id_mate)]
    told = record.heard_from.map(words[words.field == "heard_from"].set_index("value")["~referred"]).astype(
        float
    )
    out["referral"] = told.reindex(out.index).mask(out.index.isin(before.lead_id), 1.0)
    out["committee_size"] = colleagues + own.touches.notna().astype(float)
    for name in ("executive", "business"):
        theirs = by_lead[name].max().reindex(out.index, fill_value=False).astype(bool)
        out[f"has_{name}_in_committee"] = (theirs | own[name].fillna(False).astype(bool)).astype(float)


def _record(folder: Path, leads: pd.DataFrame, now: int) -> pd.DataFrame:
    changes = pd.read_parquet(folder / "changes.parquet").query("at <= @now").sort_values("at", kind="stable")
    changes.loc[changes.value.str.strip().str.lower().isin(BLANK), "value"] = None
    last = changes.drop_duplicates(["lead_id", "field"], keep="last")
    record = last.pivot(index="lead_id", columns="field", values="value").reindex(leads.lead_id)
    record["email"] = record.email.fillna(leads.set_index("lead_id").email)
    record["short"] = record.email.str.replace(r"^[A-Za-z0-9._%+'-]+@", "x@", regex=True)
    return record


def _facts(out: pd.DataFrame, record: pd.DataFrame, words: pd.DataFrame, now: int) -> None:
    def derived(field: str, name: str) -> pd.Series:
        return record["short" if field == "email" else field].map(
            words[words.field == field].set_index("value")[name]
        )

    employees, revenue = _number(record.employees), _number(record.annual_revenue)
    out["employees"], out["log_employees"], out["log_annual_revenue"] = (
        employees,
        np.log(employees + 1),
        np.log(revenue + 1),
    )
    bands = ["1-9", "10-49", "50-99", "100-499", "500-999", "1000-4999", "5000+"]
    out["size_band"] = pd.cut(
        employees, [0, 10, 50, 100, 500, 1000, 5000, np.inf], right=False, labels=bands
    ).astype(object)
    for name, field in (
        ("industry", "industry"), ("function", "title"), ("seniority", "title"), ("channel", "source"),
        ("source", "source"), ("country", "country"), ("email_kind", "email"),
    ):  # fmt: skip
        out[name] = derived(field, f"~{name}")
    out["fact_product_interest"] = record.product_interest.str.lower().str.replace(r"\s+", " ", regex=True)
    out["fact_seats"] = _number(record.seats)
    for name, field in (("fact_pilot", "pilot"), ("hand_raiser", "hand_raiser"), ("opted_out", "opted_out")):
        out[name] = record[field].str.lower().map({"true": 1.0, "false": 0.0})
    ahead = (pd.to_datetime(record.needed_by) - pd.to_datetime(now, unit="us").normalize()).dt.days
    out["days_until_needed_by"], out["needed_by_passed"] = (
        ahead,
        (ahead < 0).where(ahead.notna()).astype(float),
    )
    standard = [
        "email",
        "company",
        "title",
        "industry",
        "employees",
        "annual_revenue",
        "country",
        "source",
        "phone",
    ]
    out["completeness"] = record[standard].notna().mean(axis=1)


def _number(text: pd.Series) -> pd.Series:
    distinct = pd.Series(text.dropna().unique(), dtype="object")
    bare = distinct.str.replace(r"[,\s$€£]", "", regex=True)
    parts = bare.str.extract(r"^(\d+(?:\.\d+)?)[-–](\d+(?:\.\d+)?)$").astype(float)
    middle = np.sqrt(parts[0] * parts[1])
    least = bare.str.extract(r"^(\d+(?:\.\d+)?)\+$")[0].astype(float)
    number = pd.to_numeric(bare, errors="coerce").fillna(middle).fillna(least)
    return text.map(dict(zip(distinct, number, strict=True))).astype(float)


if __name__ == "__main__":
    folder, now, words, out = (
        Path(sys.argv[1]),
        int(sys.argv[2]),
        pd.read_parquet(sys.argv[3]),
        Path(sys.argv[4]),
    )
    start, work = time.perf_counter(), time.process_time()
    found = features(folder, now, words)
    print(time.perf_counter() - start, time.process_time() - work, len(found))
    found.to_parquet(out)
