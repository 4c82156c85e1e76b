"""Every feature in one list: its name, its unit, what a rep calls it, and how it is counted.

Words used in the definitions. A *touch* is something a person of the lead's side did: a page view, form,
download, webinar, meeting, answered call, campaign response, or an e-mail opened, clicked, answered or
forwarded; what a seller did, or a machine, is none. A *visit* is a run of page views in one session (where
there is none: with less than 30 minutes between them). *Colleagues* are other leads of the same account or
the same company e-mail domain; where that has more than 500 leads it is no company. A *step* is a change of
status, or a task, call, meeting, form, e-mail sent or answered, by its kind and subject. A window of N days are the
N × 24 hours up to and including the moment the features are computed for. An unknown is blank, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scoring.features.dates import days_until, passed
from scoring.features.inputs import Fact, checked_facts
from scoring.features.process import Process, slug

Type = Literal["number", "category"]
Family = Literal["behavioural", "temporal", "graph", "actors", "firmographic", "fact", "date", "process"]


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the feature table. `role` "model" may feed the model, "routing" is for flags and people
    only."""

    name: str
    family: Family
    type: Type
    unit: str
    label: str
    definition: str
    role: Literal["model", "routing"] = "model"


def _number(family: Family, name: str, unit: str, label: str, definition: str) -> Feature:
    return Feature(name, family, "number", unit, label, definition)


def _routing(family: Family, name: str, unit: str, label: str, definition: str) -> Feature:
    return Feature(name, family, "number", unit, label, definition, "routing")


BEHAVIOURAL = tuple(
    _number("behavioural", *row)
    for row in (
        ("pages_per_session_30d", "pages", "Pages per visit",
         "Pages viewed in the last 30 days, per visit; blank without a visit"),
        ("return_visits_48h", "visits", "Quick returns to the site",
         "Visits of the last 30 days that began within 48 hours of the visit before"),
        ("doc_download_share", "share", "Downloads that are documentation",
         "Documentation among all downloads of known content in the last 90 days; blank without one"),
        ("technical_content_share", "share", "Reads technical content",
         "Documentation among all pages and downloads of known content in the last 90 days; blank without "
         "one"),
        ("pricing_with_case_study_30d", "views", "Pricing together with case studies",
         "The smaller of two counts of the last 30 days: pricing pages or files, and case studies"),
        ("research_depth_30d", "areas", "Product areas explored",
         "Different product areas touched in the last 30 days"),
        ("reply_hours_median", "hours", "Usual time to reply",
         "Median hours from our last e-mail or call to the lead's reply, over replies of the last 90 days; "
         "blank without one"),
        ("forwards_30d", "e-mails", "Forwards our e-mails", "E-mails forwarded in the last 30 days"),
        ("forms_30d", "forms", "Forms filled in", "Forms sent in the last 30 days"),
        ("channels_14d", "channels", "Channels used",
         "How many of site, e-mail, event and phone were used in the last 14 days"),
    )
)  # fmt: skip

TEMPORAL = tuple(
    _number("temporal", *row)
    for row in (
        ("lead_age_days", "days", "Days since the lead came in", "Days since the record was created"),
        ("days_since_first_touch", "days", "Days since first contact",
         "Days since the first touch; blank without one"),
        ("days_since_last_touch", "days", "Days since last heard from", "Days since the last touch; blank "
                                                                        "without one"),
        ("touches_7d", "touches", "Touches this week", "Touches in the last 7 days"),
        ("touches_30d", "touches", "Touches this month", "Touches in the last 30 days"),
        ("meetings_30d", "meetings", "Meetings", "Meetings in the last 30 days"),
        ("bursts_90d", "bursts", "Separate waves of interest",
         "Runs of touches in the last 90 days with more than 7 quiet days between them"),
        ("mean_burst_gap_days", "days", "Quiet time between waves",
         "Mean length of the quiet times of more than 7 days that ended in the last 180 days; blank without "
         "one"),
        ("dark_then_return", "0 or 1", "Came back after going quiet",
         "1 when a touch in the last 7 days followed 30 quiet days or more, else 0"),
        ("velocity_3d", "times", "Pace of the last 3 days",
         "Touches in the last 3 days + 1, over the mean per 3 days of the 28 days before + 1; above 1 is "
         "speeding up"),
        ("velocity_7d", "times", "Pace of the last week",
         "Touches in the last 7 days + 1, over the mean per week of the 28 days before + 1; above 1 is "
         "speeding up"),
        ("recency_weighted_engagement", "log(1 + touches)", "Recent engagement",
         "log(1 + sum over all touches of exp(-age / 14 days))"),
    )
)  # fmt: skip

GRAPH = (
    *(_number("graph", *row) for row in (
        ("colleagues_engaged_30d", "people", "Colleagues engaged",
         "Colleagues with a touch in the last 30 days; blank while the company isn't known, as in all of "
         "this family"),
        ("functions_engaged_30d", "functions", "Job functions engaged",
         "Different job functions among those colleagues; blank while none of their titles is known"),
        ("same_day_colleagues_30d", "people", "Colleagues active on the same day",
         "Colleagues who had a touch on a day (UTC) of the last 30 on which the lead had one too"),
        ("shared_sessions_30d", "occasions", "Sessions, calls and webinars together",
         "Sessions, meetings, calls and webinars of the last 30 days that the lead shared with a colleague"),
        ("colleague_forwards_30d", "e-mails", "E-mails passed around by colleagues",
         "E-mails that colleagues forwarded in the last 30 days"),
        ("copied_colleagues_30d", "people", "People of the company copied on e-mails",
         "Different people copied (CC) on e-mails with the lead in the last 30 days, leads or not, whose address is at a domain "
         "that the lead or a colleague has; a machine's e-mails and free-mail addresses count nobody"),
        ("account_touches_30d", "touches", "Touches by the whole company",
         "Touches of the lead and all colleagues in the last 30 days"),
        ("followers_7d", "people", "Colleagues who followed",
         "Colleagues whose first touch came within 7 days after the lead's own first touch"),
        ("first_follower_hours", "hours", "Time until a colleague followed",
         "Hours from the lead's first touch to the first such colleague's; blank without one"),
        ("referral", "0 or 1", "Referred by someone",
         "1 when the lead said that someone told them of us, or a colleague forwarded one of our e-mails in "
         "the 30 days before the lead's first touch; 0 when they named another source; else blank"),
    )),
    Feature("follower_channel", "graph", "category", "name", "Followers' channel",
            "Where most of the colleagues who followed had their first touch: phone, event, email or site; of those that are as "
            "many the first in this order; blank without a follower"),
)  # fmt: skip

ACTORS = (
    _number("actors", "machine_share_30d", "share", "Share done by machines",
            "Of what the lead's side did in the last 30 days, the part that a machine made (link scanner, "
            "mail-privacy open, crawler, agent); e-mails sent, calls and tasks are ours; blank without activity"),
)  # fmt: skip

ROUTING = tuple(
    _routing(*row)
    for row in (
        ("actors", "machine_touches_30d", "activities", "Machine activity",
         "Activities of the lead's side in the last 30 days that a machine made"),
        ("actors", "unsure_touches_30d", "activities", "Activity of unsure origin",
         "Activities of the lead's side in the last 30 days of which it isn't sure that a person made them"),
        ("actors", "outreach_30d", "activities", "Our own outreach",
         "E-mails and calls by a seller in person in the last 30 days"),
        ("actors", "machine_outreach_30d", "activities", "Outreach by machines in our name",
         "E-mails sent, calls and tasks of the last 30 days that a machine made, in a seller's name or not"),
        ("temporal", "engagement_touches", "touches", "Engagement",
         "Sum over all touches of exp(-age / 14 days)"),
        ("graph", "committee_size", "people", "People of this company engaged",
         "The lead and colleagues with a touch in the last 30 days"),
        ("graph", "has_executive_in_committee", "0 or 1", "An executive is engaged",
         "1 when one of them is an executive by title, else 0"),
        ("graph", "has_business_in_committee", "0 or 1", "The business side is engaged",
         "1 when one of them works in business, finance, marketing, sales or operations, else 0"),
        ("firmographic", "completeness", "share", "Record completeness",
         "Known among the mapped standard fields; blank when none is mapped"),
        ("firmographic", "employees", "people", "Employees", "Employees as known then"),
        ("firmographic", "hand_raiser", "0 or 1", "Asked to be contacted",
         "1 when the lead asked to be contacted or for a demo, 0 when it is known that not"),
        ("firmographic", "opted_out", "0 or 1", "Opted out of contact",
         "1 when the lead opted out of contact, 0 when it is known that not"),
    )
)  # fmt: skip

SIZE_BANDS = ("1-9", "10-49", "50-99", "100-499", "500-999", "1000-4999", "5000+")

_FIRMOGRAPHIC_ROWS: tuple[tuple[str, str, Type, str, str, str], ...] = (
    ("employees", "log_employees", "number", "log(1 + people)", "Employees", "log(1 + employees)"),
    ("employees", "size_band", "category", "band", "Company size",
     f"Employees in bands: {', '.join(SIZE_BANDS)}"),
    ("annual_revenue", "log_annual_revenue", "number", "log(1 + currency)", "Annual revenue",
     "log(1 + annual revenue in the org's currency)"),
    ("industry", "industry", "category", "name", "Industry", "Industry in lower case, synonyms joined"),
    ("title", "function", "category", "name", "Job function",
     "From the job title: technical, business, executive, finance, marketing, sales, operations, student, "
     "other or unknown (a title without meaning)"),
    ("title", "seniority", "category", "name", "Seniority",
     "From the job title: c_level, vp, director, manager, individual or intern"),
    ("source", "channel", "category", "name", "Channel",
     "From the source: inbound, outbound, partner, event, paid, referral or other"),
    ("source", "source", "category", "name", "Source", "Lead source in lower case, spelling joined"),
    ("country", "country", "category", "name", "Country", "Country in lower case, synonyms joined"),
    ("email", "email_kind", "category", "name", "Kind of e-mail address",
     "company, free (a free-mail provider) or none (no address that could receive mail); blank without "
     "an entry"),
)  # fmt: skip

FIRMOGRAPHIC_OF = tuple(
    (fact, Feature(name, "firmographic", kind, unit, label, definition))
    for fact, name, kind, unit, label, definition in _FIRMOGRAPHIC_ROWS
)
"""The fact that a feature is made of, and the feature."""

FIRMOGRAPHIC = tuple(feature for _, feature in FIRMOGRAPHIC_OF)

STANDARD = (
    "email", "company", "title", "industry", "employees", "annual_revenue", "country", "source", "phone",
)  # fmt: skip
"""Standard fields of both CRMs whose known share is `completeness`."""

_OWN_FEATURES = frozenset(fact for fact, _ in FIRMOGRAPHIC_OF) | {"hand_raiser", "opted_out", "account_id"}


def generic(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts that become a feature `fact_<name>` as they are."""
    others = (fact for fact in facts if fact.type not in ("text", "date"))
    return tuple(fact for fact in others if fact.name not in _OWN_FEATURES)


def of_process(process: Process) -> tuple[Feature, ...]:
    """The features of an org that has its process read (scoring/features/process.py)."""
    lately, window = process.lately, process.window
    near, far = ("day" if n == 1 else f"{n} days" for n in (lately, window))
    rows: tuple[tuple[str, Type, str, str, str], ...] = (
        ("last_step", "category", "name", "Last step", "The latest step"),
        ("hours_since_step", "number", "hours", "Hours since the last step",
         "Hours since the latest step; blank without one"),
        (f"steps_{lately}d", "number", "steps", f"Steps in the last {near}", f"Steps in the last {near}"),
        (f"steps_{window}d", "number", "steps", f"Steps in the last {far}", f"Steps in the last {far}"),
        (f"step_people_{window}d", "number", "people", "People who worked on it",
         f"Different owners of its activities among the steps of the last {far}"),
        (f"step_days_{window}d", "number", "days", "Days on which something was done",
         f"Different days (UTC) with a step in the last {far}"),
        ("created_hour", "number", "hours", "Hour at which it came in", "Hour of the day (UTC) of its creation"),
        ("created_weekday", "category", "name", "Weekday on which it came in", "Weekday (UTC) of its creation"),
        *(
            row
            for kind in process.follow
            for what in [kind.replace("_", " ")]
            for row in (
                (f"last_{kind}", "category", "name", f"Last {what}",
                 "The status as last set" if kind == "status" else f"The latest {what}, by its subject"),
                (f"hours_since_{kind}", "number", "hours", f"Hours since the last {what}",
                 f"Hours since the latest {'change of status' if kind == 'status' else what}; blank without one"),
            )
        ),
        *(
            (f"{slug(step)}_{window}d", "number", "occurrences", _step_label(step),
             f"How often “{step}” was a step in the last {far}")
            for step in process.steps
        ),
    )  # fmt: skip
    return tuple(Feature(row[0], "process", *row[1:]) for row in rows)


def _step_label(step: str) -> str:
    """A step as it is spoken of.

    >>> _step_label("call: follow-up on quote"), _step_label("email_sent")
    ('Call “follow-up on quote”', 'Email sent')
    """
    kind, _, words = (part.strip() for part in step.partition(":"))
    kind = kind.replace("_", " ")
    return kind[:1].upper() + kind[1:] + (f" “{words}”" if words else "")


def catalogue(facts: Sequence[Fact], process: Process | None = None) -> tuple[Feature, ...]:
    """The features that `build` computes for an org with these facts and, where it has its process read, these steps, in
    the order of its columns. A fact that is not listed (protected, useless, gamed) feeds no feature for the model."""
    facts = checked_facts(facts)
    mapped = {fact.name for fact in facts}
    graph = tuple(f for f in GRAPH if f.name != "functions_engaged_30d" or "title" in mapped)
    firmographic = tuple(feature for fact, feature in FIRMOGRAPHIC_OF if fact in mapped)
    others = tuple(_from_fact(fact) for fact in generic(facts))
    dates = tuple(feature for fact in facts if fact.type == "date" for feature in _from_date(fact))
    # routing reads whether they raised a hand in any case; the model may only where the fact is listed
    routing = tuple(
        replace(f, role="model") if f.name == "hand_raiser" and f.name in mapped else f for f in ROUTING
    )
    steps = () if process is None else of_process(process)
    return (*BEHAVIOURAL, *TEMPORAL, *graph, *ACTORS, *firmographic, *others, *dates, *steps, *routing)


def _from_fact(fact: Fact) -> Feature:
    kind: Type = "category" if fact.type == "category" else "number"
    unit = {"number": "as in the CRM", "flag": "0 or 1", "category": "name"}[fact.type]
    return Feature(
        f"fact_{fact.name}", "fact", kind, unit, fact.label, f"The field {fact.label} as known then"
    )


def _from_date(fact: Fact) -> tuple[Feature, Feature]:
    return (
        _number("date", days_until(fact.name), "days", f"Days until “{fact.label}”",
                f"Days (UTC) from the moment's day to the one that the field {fact.label} names as known then, below 0 once that is past; "
                "blank where it names none, or one more than ten years off"),
        _number("date", passed(fact.name), "0 or 1", f"“{fact.label}” has passed",
                "1 when that day is past, 0 when it isn't; blank where there is none"),
    )  # fmt: skip


def asked_for(feature: str, facts: Sequence[Fact]) -> str | None:
    """What somebody would ask for to learn a feature: the label of the field that it is made of. None: of no field."""
    made_of = {fact.name: fact.name for fact in facts}
    made_of |= {_from_fact(fact).name: fact.name for fact in generic(facts)}
    made_of |= {f.name: fact.name for fact in facts if fact.type == "date" for f in _from_date(fact)}
    made_of |= {f.name: fact for fact, f in FIRMOGRAPHIC_OF}
    return next((fact.label for fact in facts if fact.name == made_of.get(feature)), None)
