"""Who the lead is: the record's facts as known then, in joined words and comparable numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import ibis
import pyarrow as pa

from scoring.features import normalise, numbers, titles
from scoring.features.catalogue import STANDARD, generic
from scoring.features.inputs import END_OF_TIME, Fact, bare

WORDS: dict[str, dict[str, Callable[[str], str | None]]] = {
    "title": {"~function": titles.function, "~seniority": titles.seniority},
    "source": {"~source": normalise.source, "~channel": normalise.channel},
    "industry": {"~industry": normalise.industry},
    "country": {"~country": normalise.country},
    "heard_from": {"~referred": normalise.referred},
    "email": {"~email_kind": normalise.email_kind, "~domain": normalise.company_domain},
}
"""Field -> what is derived from its text. Derived fields begin with ~, which no mapped field does."""

ALWAYS_READ = frozenset({"email", "account_id", "title", "employees", "hand_raiser", "opted_out"})
"""Fields that routing needs whether they may feed the model or not."""


def first_known(values: Any, leads: Any) -> Any:
    """Spans of `leads.email` and `leads.account_key`: for all times before the first change of these fields, for ever where
    none follows them."""
    changed = values.filter(values.field.isin(["email", "account_id"]))
    changed = changed.group_by("lead_id").aggregate(
        email_from=changed.since.min(where=changed.field == "email"),
        account_from=changed.since.min(where=changed.field == "account_id"),
    )
    before = leads.left_join(changed, "lead_id")

    def given(field: str, column: str, until: str) -> Any:
        filled = before.mutate(**{column: bare(before[column])}).filter(lambda t: t[column] != "")
        return filled.select(
            "lead_id",
            field=ibis.literal(field),
            value=filled[column],
            since=ibis.literal(-END_OF_TIME, "int64"),
            until=filled[until].fill_null(END_OF_TIME),
        )

    email = given("email", "email", "email_from")
    return shortened(email).union(given("account_id", "account_key", "account_from"))


def unread(facts: Sequence[Fact]) -> frozenset[str]:
    """Fields of which only counts whether they are filled: their text is no feature, and no word is derived from it."""
    texts = {fact.name for fact in facts if fact.type == "text"}
    return frozenset(texts - set(WORDS) - ALWAYS_READ - {"annual_revenue"})


def shortened(values: Any) -> Any:
    """The spans with every address as "x@host": all that is derived from it depends on the host, and an org has far fewer
    of those. An address with odd characters before the @ stays as it is."""
    bare = values.value.re_replace(r"^[A-Za-z0-9._%+'-]+@", "x@")
    return values.mutate(value=(values.field == "email").ifelse(bare, values.value))


def words(distinct: pa.Table) -> pa.Table:
    """(field, value, and a column for every derived field) for the distinct (field, value) of an org."""
    derived: dict[str, list[str | None]] = {name: [] for rules in WORDS.values() for name in rules}
    for field, value in zip(distinct["field"].to_pylist(), distinct["value"].to_pylist(), strict=True):
        rules = WORDS[field]
        for name, column in derived.items():
            column.append(rules[name](value) if name in rules else None)
    columns = {name: pa.array(column, pa.string()) for name, column in derived.items()}
    return pa.table({"field": distinct["field"], "value": distinct["value"], **columns})


def with_words(known: Any, derived: Any) -> Any:
    """The record, and beside it what is derived from its words."""
    blank: dict[str, Any] = {}
    for field, rules in WORDS.items():
        if field in known.columns:
            of = derived.filter(derived.field == field).select(*rules, **{f"~of {field}": derived.value})
            known = known.left_join(of, known[field] == of[f"~of {field}"])
        else:
            blank |= {name: ibis.literal(None, "string") for name in rules}
    return known.mutate(**blank)


def number_fields(facts: Sequence[Fact]) -> tuple[str, ...]:
    """The fields that are read as numbers."""
    listed = [fact.name for fact in generic(facts) if fact.type == "number"]
    return ("employees", *(["annual_revenue"] if "annual_revenue" in read_fields(facts) else []), *listed)


def with_numbers(known: Any, read: Any, fields: Sequence[str]) -> Any:
    """The record, and beside it the number in each of `fields`."""
    for field in fields:
        column = "whole" if field in numbers.WHOLE else "number"
        key = f"~number of {field}"
        of = read.select(**{_number(field): read[column], key: read.value})
        known = known.left_join(of, known[field] == of[key])
    return known


def _number(field: str) -> str:
    return f"~number {field}"


def read_fields(facts: Sequence[Fact]) -> frozenset[str]:
    """The fields of the record that are looked at: those that may describe a lead, and those that routing
    needs."""
    return frozenset(fact.name for fact in facts) | ALWAYS_READ


def features(known: Any, facts: Sequence[Fact]) -> dict[str, Any]:
    """Expressions on `known`: a column for each field read, text or number, and each derived one."""
    employees = _not_negative(known[_number("employees")])
    columns: dict[str, Any] = {
        "employees": employees,
        "log_employees": (employees + 1).ln(),
        "size_band": _size_band(employees),
        "function": known["~function"],
        "seniority": known["~seniority"],
        "channel": known["~channel"],
        "source": known["~source"],
        "industry": known["~industry"],
        "country": known["~country"],
        "email_kind": known["~email_kind"],
        "hand_raiser": flag(known.hand_raiser),
        "opted_out": flag(known.opted_out),
        "completeness": _completeness(known, {fact.name for fact in facts}),
    }
    if "annual_revenue" in known.columns:
        columns["log_annual_revenue"] = (_not_negative(known[_number("annual_revenue")]) + 1).ln()
    readers: dict[str, Callable[[str], Any]] = {
        "number": lambda name: known[_number(name)],
        "flag": lambda name: flag(known[name]),
        "category": lambda name: _category(known[name]),
    }
    columns |= {f"fact_{fact.name}": readers[fact.type](fact.name) for fact in generic(facts)}
    return columns


def _not_negative(value: Any) -> Any:
    """People and revenue below zero are slips of the pen: blank."""
    return (value >= 0).ifelse(value, None)


def flag(text: Any) -> Any:
    """1 or 0 from a yes or no in text; blank where it is neither."""
    answer = text.lower()
    return ibis.cases(
        (answer.isin(["true", "yes", "y", "1", "1.0"]), 1.0),
        (answer.isin(["false", "no", "n", "0", "0.0"]), 0.0),
    )


def _category(text: Any) -> Any:
    """A choice in lower case, one space between words."""
    return _lowered(text).re_replace(numbers.BLANKS, " ")


def _lowered(text: Any) -> Any:
    """Lower case by the two rules on which engines differ: İ is i without a second dot, Σ is σ at the end of a word, too."""
    return text.replace("İ", "i").lower().replace("ς", "σ")


def _size_band(employees: Any) -> Any:
    bounds = (
        (10, "1-9"),
        (50, "10-49"),
        (100, "50-99"),
        (500, "100-499"),
        (1000, "500-999"),
        (5000, "1000-4999"),
    )
    return employees.isnull().ifelse(
        None, ibis.cases(*((employees < bound, band) for bound, band in bounds), else_="5000+")
    )


def _completeness(known: Any, mapped: Collection[str]) -> Any:
    standard = [name for name in STANDARD if name in mapped]
    if not standard:
        return ibis.literal(None, "float64")
    filled = sum((known[name].notnull().cast("float64") for name in standard), start=ibis.literal(0.0))
    return filled / len(standard)
