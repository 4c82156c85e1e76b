"""What a world is like, declared: each pathology of a real pipeline is a table of knobs, each knob with a default, a
range, a sentence and the value at which it does nothing.

A scenario is a TOML file (docs/scenarios.md) that says only where it differs from the defaults; one engine plays
them all. `Scenario().without("rebrands")` is the same world without one pathology.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connector.playground.world import words

DataSet = Literal["x_education", "bank-calls", "loan-applications"]
Form = Literal["spline", "trees"]
"""spline: additive and smooth; trees: steps and interactions"""
OF_DATA = ("attention", "reps")
"""The tables that say something of a world of real rows: what people do there; what it is like, the rows say themselves."""

_ORDINARY_DAYS = 55.0
_DAYS = {
    "partner referral": 45.0, "customer referral": 30.0, "web form": 30.0, "paid search": 30.0, "webinar": 50.0,
    "event": 60.0, "outbound list": 90.0,
}  # fmt: skip
_RATES = {
    "partner referral": 0.10, "customer referral": 0.12, "web form": 0.08, "paid search": 0.065, "webinar": 0.045,
    "event": 0.04, "outbound list": 0.02,
}  # fmt: skip


def _knob(default: Any, off: Any = None, /, says: str = "", **limits: Any) -> Any:
    """`off`: the value at which the knob does nothing; None where that doesn't matter once the others are off."""
    dear = {"default_factory": default.copy} if isinstance(default, dict) else {"default": default}
    return Field(**dear, description=says, json_schema_extra={"off": off}, **limits)


def _share(default: float, off: float | None = 0.0, /, says: str = "", *, most: float = 1.0) -> Any:
    return _knob(default, off, says, ge=0.0, le=most)


def _lift(default: float, off: float | None = None, /, says: str = "") -> Any:
    return _knob(default, off, says + " (log odds)", ge=-6.0, le=6.0)


class Knobs(BaseModel):
    """A table of a scenario. The first line of a subclass's docstring says what it is in a pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def off(cls) -> Self:
        """The same with every knob that has one at its off value."""
        said = {name: (field.json_schema_extra or {}).get("off") for name, field in cls.model_fields.items()}  # type: ignore[union-attr]
        return cls(**{name: value for name, value in said.items() if value is not None})


class Hygiene(Knobs):
    """Records are filled in because a deal is going to close, so a full record is a sign of it, not a cause."""

    winners: float = _share(
        0.85, 0.13, "share of its blank fields that are filled while a deal is on its way to be won"
    )
    lost_deals: float = _share(0.35, 0.13, "the same, while a deal is on its way to be lost")
    losers: float = _share(0.1, 0.13, "the same, for worked leads that never come to a deal")
    linkedin: float = _share(
        0.97, 0.13, "chance that a blank LinkedIn URL is looked up for a deal that will be won"
    )


class Outsiders(Knobs):
    """Winners outside the ideal profile, whose records are sparse."""

    share: float = _share(0.06, 0.0, "share of companies in industries that are no part of the ideal profile")
    lift: float = _lift(1.3, says="how much likelier they buy than their record would say")
    blanks: float = _share(0.65, None, "share of the fields that are blank on their leads", most=0.95)


class Researchers(Knobs):
    """Researchers of private-equity firms: tire-kickers by their titles, who buy for a portfolio."""

    share: float = _share(0.02, 0.0, "share of companies that are such a firm with one such lead")
    lift: float = _lift(4.4, says="how much likelier they buy than other leads with such titles")
    value: float = _knob(3.0, None, "their deals, as a multiple of those of a company of their size", ge=0.1, le=50.0)  # fmt: skip


class NewPersona(Knobs):
    """A kind of buyer that nobody had met appears from some month on."""

    from_month: int = _knob(12, None, "months of history before the first of them", ge=0, le=120)
    share: float = _share(0.08, 0.0, "share of leads that are of the new kind from then on")
    lift: float = _lift(2.6, says="how much likelier they buy than other leads with an unknown title")


class NewMarket(Knobs):
    """An industry that never bought before starts to."""

    after: float = _share(2 / 3, None, "share of the history that is over when it enters")
    share: float = _share(0.1, 0.0, "share of companies that are of it from then on")
    lift: float = _lift(0.9, says="how much likelier it buys")


class Returners(Knobs):
    """Buyers on another clock: quiet when they are scored, dark for months, then back to buy."""

    share: float = _share(0.5, 0.0, "share of leads of big companies and of the public sector that are on it")
    lift: float = _lift(
        1.6, says="how much likelier they buy than others who are as quiet in their first week"
    )
    slower: float = _knob(1.8, None, "their time to a win, as a multiple of others'", ge=1.0, le=10.0)


class Committees(Knobs):
    """Committees whose champion is not the one with the title."""

    champions: float = _share(
        0.6, 0.0, "share of committees of three or more that someone without a title carries"
    )
    lift: float = _lift(1.1, says="how much likelier each member of such a committee is part of a won deal")
    bosses: float = _lift(-0.7, says="what a vice president or chief adds in such a committee, beside its own weight")  # fmt: skip


class Channels(Knobs):
    """Conversion and cycle differ by source: inbound 8 % in 30 days, outbound 2 % in 90."""

    calibrated: bool = _knob(True, False, "each source converts at its rate below; false: by the formula and [world] base_rate")  # fmt: skip
    rates: dict[str, float] = _knob(
        _RATES, None, "share of a source's leads that win within the horizon (0.0005 to 0.6)"
    )
    days: dict[str, float] = _knob(
        _DAYS, dict.fromkeys(_DAYS, _ORDINARY_DAYS), "median days from the first scoring to a win (5 to 170)"
    )
    effect: float = _knob(
        1.0, 0.0, "multiple of the formula's own effects of sources, where not calibrated", ge=0.0, le=3.0
    )

    @field_validator("rates", "days", mode="before")
    @classmethod
    def _complete(cls, said: Any, info: Any) -> Any:
        """Sources that a file doesn't name keep their defaults."""
        usual, low, high = (
            (_RATES, 0.0005, 0.6) if info.field_name == "rates" else (_DAYS, 5.0, float(_LONGEST_DAYS))
        )
        if not isinstance(said, dict):
            return said
        if unknown := sorted(set(said) - set(usual)):
            raise ValueError(f"no source is called {unknown[0]!r}; there are: {', '.join(words.SOURCES)}")
        for name, value in said.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name!r} is {value!r}; allowed is a number from {low:g} to {high:g}")
        return {**usual, **{name: float(value) for name, value in said.items()}}


_LONGEST_DAYS = 170


class Enterprise(Knobs):
    """Companies of 1,000 employees and more: deals ten times as big, and slower."""

    value: float = _knob(10.0, 1.0, "their median deal, as a multiple of a mid-market one", ge=0.1, le=100.0)
    slower: float = _knob(1.4, 1.0, "their time to a win, as a multiple of others'", ge=0.5, le=10.0)


class HandRaisers(Knobs):
    """Leads that ask to be contacted, and fill in little else."""

    inbound: float = _share(0.12, 0.0, "share of inbound leads that ask")
    others: float = _share(0.03, 0.0, "share of all other leads that ask")
    lift: float = _lift(1.2, 0.0, "how much likelier they buy")
    blanks: float = _share(0.45, 0.0, "share of the fields that are blank on their records", most=0.95)


class PersonalMail(Knobs):
    """Addresses at free-mail domains, which say nothing of the company."""

    small: float = _share(0.26, 0.0, "share of leads of companies under 50 employees")
    others: float = _share(0.16, 0.0, "share of leads of all other companies")


class Rebrands(Knobs):
    """A company changes its name and domain between one lead and the next."""

    share: float = _share(
        0.5, 0.0, "share of companies with a second lead months later that have renamed by then"
    )
    lift: float = _lift(1.0, says="how much likelier the later lead buys: they know us, under an old name")


class Referrals(Knobs):
    """A customer sent them, and no field says so."""

    share: float = _share(0.03, 0.0, "share of leads that were referred by word of mouth and are filed under another source")  # fmt: skip
    lift: float = _lift(1.8, says="how much likelier they buy")


class Flips(Knobs):
    """What is a good sign in one segment is a bad one in another."""

    strength: float = _knob(1.0, 0.0, "multiple of the flips: page views and seniority of big companies, pricing looked at by outbound leads", ge=0.0, le=3.0)  # fmt: skip


class Duplicates(Knobs):
    """The same person as two leads, until a rep sees it and merges them."""

    merged: float = _share(
        0.6, 0.0, "share of such pairs that are merged; both leads' activities follow the survivor"
    )
    days: float = _knob(
        12.0, None, "median days from the second lead's arrival to the merge", ge=0.1, le=180.0
    )


class Deletions(Knobs):
    """Leads are deleted: the team's own tests, and real ones by mistake, which are restored."""

    tests: float = _share(0.006, 0.0, "test leads, as a share of all leads and beside them; most are deleted within days", most=0.2)  # fmt: skip
    mistakes: float = _share(0.004, 0.0, "share of open leads that are deleted by mistake and restored some days later", most=0.2)  # fmt: skip


class Owners(Knobs):
    """Leads wait in a queue until somebody takes them, and reps leave: their open leads go to another."""

    queued: float = _share(0.3, 0.0, "share of leads that a queue owns until a rep first works on them")
    leavers: float = _share(0.25, 0.0, "share of those who work on leads that have left in the last half of the history", most=0.75)  # fmt: skip


class Attention(Knobs):
    """A chance is one only for a lead that is reached in time, and the world's own reps have few hours and go by the org's points."""

    history: float = _knob(0.6, 1.0, "share of its leads that the world's own reps have the hours to work in time; 1: nobody is neglected", ge=0.05, le=1.0)  # fmt: skip
    reached: float = _knob(1.0, 1.0, "multiple of a lead's chance when a person reaches it in time", ge=0.1, le=1.0)  # fmt: skip
    unreached: float = _knob(0.35, 1.0, "multiple of its chance when nobody does", ge=0.0, le=1.0)
    days: float = _knob(10.0, None, "days from the first scoring that count as in time", ge=0.1, le=180.0)
    hand_raiser_days: float = _knob(1.0, None, "the same for a hand-raiser", ge=0.04, le=180.0)


_PEOPLE = {
    f"{function} {words.SENIORITY[level]}": list(titles) for (function, level), titles in words.TITLES.items()
}
_OTHERS_OWN = (words.NEW_INDUSTRY[0], words.PRIVATE_EQUITY[0], *words.OUTSIDERS)
"""Industries that pathologies bring along."""


class Cast(Knobs):
    """Who comes: the vertical that is sold to. What is not written is a software vendor's."""

    industries: dict[str, float] = _knob(
        {name: share for name, (share, _) in words.INDUSTRIES.items()}, None,
        "weight of each industry; a table here replaces them all, any names will do, and new ones sell as manufacturing does",
    )  # fmt: skip
    size: float = _knob(110.0, None, "median employees of a company", ge=2.0, le=20_000.0)
    size_spread: float = _knob(1.6, None, "spread of company sizes: standard deviation of their natural logarithm", ge=0.0, le=3.0)  # fmt: skip
    functions: dict[str, float] = _knob(words.FUNCTION_MIX, None, "weight of each kind of person")
    levels: dict[str, float] = _knob(words.LEVEL_MIX, None, "weight of each level of technical and business people")  # fmt: skip
    titles: dict[str, list[str]] = _knob(_PEOPLE, None, "titles of each kind and level, as people type them")
    sources: dict[str, float] = _knob(
        {name: share for name, (share, _) in words.SOURCES.items()}, None, "weight of each kind of source"
    )
    source_names: dict[str, list[str]] = _knob(
        {name: list(spellings) for name, (_, spellings) in words.SOURCES.items()}, None,
        "what a kind of source is called in the records, the usual name first",
    )  # fmt: skip

    @field_validator("industries", "functions", "levels", "sources", mode="before")
    @classmethod
    def _weights(cls, said: Any, info: Any) -> Any:
        """Names that a file doesn't give keep their weights, but for industries."""
        usual = cls.model_fields[info.field_name].get_default(call_default_factory=True)
        if not isinstance(said, dict):
            return said
        free = info.field_name == "industries"
        _known(said, said if free else usual, info.field_name)
        for name, value in said.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
                raise ValueError(f"{name!r} is {value!r}; allowed is a weight from 0 up")
            if free and name in _OTHERS_OWN:
                raise ValueError(f"{name!r} comes with a pathology of its own; give it another name")
        weights = {**({} if free else usual), **{name: float(value) for name, value in said.items()}}
        if not sum(weights.values()):
            raise ValueError("at least one weight is more than 0")
        return weights

    @field_validator("titles", "source_names", mode="before")
    @classmethod
    def _names(cls, said: Any, info: Any) -> Any:
        """What a file doesn't name is called what it was."""
        usual = cls.model_fields[info.field_name].get_default(call_default_factory=True)
        if not isinstance(said, dict):
            return said
        _known(said, usual, info.field_name)
        for name, value in said.items():
            if (
                not isinstance(value, list)
                or not value
                or not all(isinstance(one, str) and one.strip() for one in value)
            ):
                raise ValueError(f"{name!r} is {value!r}; allowed is a list of names in quotes")  # fmt: skip
        return {**usual, **said}


def _known(said: Mapping[str, Any], usual: Mapping[str, Any], what: str) -> None:
    if unknown := sorted(set(said) - set(usual)):
        raise ValueError(f"{what} has no {unknown[0]!r}; there are: {', '.join(usual)}")


class Reps(Knobs):
    """Those who work in the local CRM after hand-over, and who say what they think in a played half-year."""

    hours: float = _knob(6.0, None, "hours a day that each rep has for leads, one hour for each; a played half-year has hours of its own", ge=0.0, le=24.0)  # fmt: skip
    review_hours: float = _knob(2.0, None, "hours a day that the team has for reviews, six minutes for each", ge=0.0, le=24.0)  # fmt: skip
    noise: float = _knob(18.0, None, "how far off what a rep knows of a lead is: standard deviation in points of score", ge=0.0, le=60.0)  # fmt: skip
    reviewer_noise: float = _knob(10.0, None, "the same for a reviewer, who takes the time", ge=0.0, le=60.0)
    much: float = _knob(30.0, None, "points by which what they know differs from the score before they say so", ge=0.0, le=100.0)  # fmt: skip
    tags: float = _share(0.6, None, "chance that they tag a score that is so far off")
    overrides: float = _share(0.2, None, "chance that they override one, where they talked to the lead")
    honesty: float = _share(1.0, None, "share of what they say that is what they think; the rest agrees with the score")  # fmt: skip
    questions_left: float = _share(0.25, None, "share of closing questions that nobody answers")
    forms_left: float = _share(0.25, None, "share of forms that nobody opens")
    forms_abandoned: float = _share(0.15, None, "share of opened forms that are left half-way; of low scores 0.1 more")  # fmt: skip


class Basics(Knobs):
    """The pipeline itself, under all pathologies."""

    base_rate: float = _knob(0.10, None, "mean chance of a won deal, where [channels] is not calibrated", ge=0.002, le=0.6)  # fmt: skip
    visits: float = _knob(1.0, None, "how busy leads are: multiple of their visits", ge=0.1, le=10.0)
    blanks: float = _knob(1.15, None, "how blank records are at first: multiple of each field's share", ge=0.0, le=2.0)  # fmt: skip
    committees: float = _share(0.16, None, "share of companies of which several people come", most=0.9)
    named_dates: float = _share(0.0, None, "share of leads who say by when they need it")


class Scenario(BaseModel):
    """One kind of world. Everything has a default, so `Scenario()` is the default scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="default", pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="a name in quotes: a small letter, then small letters, digits, - and _, at most 40 in all")  # fmt: skip
    about: str = Field(default="", description="a sentence in quotes: what it is for")
    data: DataSet | None = Field(default=None, description=f"a set of real rows, in quotes: {', '.join(get_args(DataSet))}")  # fmt: skip
    form: Form = Field(default="spline", description=f"the kind of model that outcomes are drawn from, in quotes: {' or '.join(get_args(Form))}")  # fmt: skip
    world: Basics = Basics()
    cast: Cast = Cast()
    reps: Reps = Reps()
    hygiene: Hygiene = Hygiene()
    outsiders: Outsiders = Outsiders()
    researchers: Researchers = Researchers()
    new_persona: NewPersona = NewPersona()
    new_market: NewMarket = NewMarket()
    returners: Returners = Returners()
    committees: Committees = Committees()
    channels: Channels = Channels()
    enterprise: Enterprise = Enterprise()
    hand_raisers: HandRaisers = HandRaisers()
    personal_mail: PersonalMail = PersonalMail()
    rebrands: Rebrands = Rebrands()
    referrals: Referrals = Referrals()
    flips: Flips = Flips()
    duplicates: Duplicates = Duplicates()
    deletions: Deletions = Deletions()
    owners: Owners = Owners()
    attention: Attention = Attention()

    def without(self, *names: str) -> Scenario:
        """The same scenario with some pathologies off. KeyError: no such pathology."""
        off = {name: PATHOLOGIES[name].off() for name in names}
        return self.model_copy(update={"name": "-".join((self.name, "without", *names))[:40], **off})


PATHOLOGIES: Mapping[str, type[Knobs]] = {
    name: field.annotation
    for name, field in Scenario.model_fields.items()
    if name not in ("world", "cast", "reps")
    and isinstance(field.annotation, type)
    and issubclass(field.annotation, Knobs)
}
"""Each table that can be switched off, by its name in a file."""
TABLES: Mapping[str, type[Knobs]] = {"world": Basics, "cast": Cast, "reps": Reps, **PATHOLOGIES}
"""Each table that a file may have."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A knob as documentation and errors name it."""

    table: str
    name: str
    default: Any
    off: Any
    """None: its value doesn't matter once the rest of its table is off"""
    low: float | None
    high: float | None
    says: str


def declared() -> Iterator[Declared]:
    """Every knob, in the order of a scenario."""
    for table, kind in TABLES.items():
        for name, field in kind.model_fields.items():
            limit = {type(part).__name__: part for part in field.metadata}
            off = (field.json_schema_extra or {}).get("off")  # type: ignore[union-attr]
            low, high = getattr(limit.get("Ge"), "ge", None), getattr(limit.get("Le"), "le", None)
            default = field.get_default(call_default_factory=True)
            yield Declared(table, name, default, off, low, high, str(field.description))
