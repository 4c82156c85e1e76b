"""Scenarios: what a file may say, how its errors read, and that each pathology is there and can be taken out."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.playground.world.generate import generate
from connector.playground.world.model import Truth, World
from connector.playground.world.pathologies import CAUSE
from connector.playground.world.scenario import PATHOLOGIES, Declared, Scenario, declared
from connector.playground.world.scenario_file import ScenarioError, parse, read_scenario, shipped

DEFAULT = Scenario()


@pytest.fixture(scope="module")
def made() -> tuple[World, Truth]:
    return generate(3000, 18, 5, scenario=DEFAULT)


def test_a_world_is_the_same_byte_for_byte_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from connector.playground.world.generate import generate;"
        "from connector.playground.world.scenario import Scenario;"
        "print(hashlib.sha256(repr(generate(150, 18, 5, scenario=Scenario())).encode()).hexdigest())"
    )
    found = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_the_first_world_is_still_the_one_that_it_was() -> None:
    """Issue 9's figures were measured on it."""
    world, _ = generate(300, 18, 5)
    digest = hashlib.sha256(repr(world).encode()).hexdigest()
    assert digest == "58e5aff727422947a8d09692f0fb5b53b72e7fdcedae53334543899cb0aaa7b7"
    assert repr(generate(300, 18, 5, scenario=read_scenario("first"))[0]) == repr(world)


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_can_be_played(name: str) -> None:
    scenario = read_scenario(name)
    assert scenario.name == name
    assert scenario.about
    world, truth = generate(120, 18, 3, scenario=scenario)
    assert len(world.people) == len(truth.probability) == 120


def test_the_default_file_is_the_defaults() -> None:
    same = {"about": ""}
    assert read_scenario("default").model_copy(update=same) == DEFAULT


def test_every_knob_is_described_and_every_pathology_can_be_switched_off() -> None:
    knobs = list(declared())
    assert all(len(knob.says) > 10 for knob in knobs)
    for name in PATHOLOGIES:
        assert any(knob.off is not None for knob in knobs if knob.table == name), name
        quiet = DEFAULT.without(name)
        assert getattr(quiet, name) != getattr(DEFAULT, name)
        assert [n for n in PATHOLOGIES if getattr(quiet, n) != getattr(DEFAULT, n)] == [name]


def test_the_truth_is_its_formula_and_sources_convert_at_their_rates(made: tuple[World, Truth]) -> None:
    _, truth = made
    rows = np.array(list(truth.rows.values()))
    told = np.array([truth.effects[name] for name in truth.design])
    worked = 1 / (1 + np.exp(-rows @ told - truth.effects["intercept"]))
    assert np.allclose(np.minimum(worked, 0.98), list(truth.reached.values()))
    p = np.array(list(truth.probability.values()))
    outbound = rows[:, truth.design.index("source outbound list")] > 0
    web = ~rows[:, [n for n, name in enumerate(truth.design) if name.startswith("source ")]].any(axis=1)
    assert p[outbound].mean() == pytest.approx(0.02)
    assert p[web].mean() == pytest.approx(0.08)


def test_outbound_takes_its_time(made: tuple[World, Truth]) -> None:
    _, truth = made
    column = truth.design.index("source outbound list")
    days: dict[bool, list[float]] = {True: [], False: []}
    for key, at in truth.wins.items():
        days[truth.rows[key][column] > 0].append((at - truth.scored_at[key]).days)
    assert np.median(days[True]) > 1.6 * np.median(days[False])


@pytest.mark.parametrize(
    ("pathology", "cause"),
    [
        ("researchers", CAUSE["researcher"]), ("rebrands", CAUSE["rebrand"]), ("referrals", CAUSE["referral"]),
        ("new_persona", CAUSE["persona"]), ("outsiders", CAUSE["outsider"]), ("committees", CAUSE["carried"]),
        ("returners", "another clock"), ("new_market", "new market"),
    ],
)  # fmt: skip
def test_each_cause_is_there_and_goes_with_its_pathology(
    made: tuple[World, Truth], pathology: str, cause: str
) -> None:
    assert Counter(made[1].cause.values())[cause] >= 20
    _, without = generate(600, 18, 5, scenario=DEFAULT.without(pathology))
    assert cause not in without.cause.values()


def test_a_pathology_off_leaves_the_draws_of_the_others() -> None:
    _, whole = generate(600, 18, 5, scenario=DEFAULT)
    _, without = generate(600, 18, 5, scenario=DEFAULT.without("referrals"))
    assert whole.luck == without.luck
    assert whole.cause.keys() == without.cause.keys()
    same = [key for key, cause in whole.cause.items() if cause != CAUSE["referral"]]
    assert all(whole.cause[key] == without.cause[key] for key in same)


def test_the_pathologies_show_in_the_records(made: tuple[World, Truth]) -> None:
    world, truth = made
    people = {person.key: person for person in world.people}
    of = {
        cause: [people[k] for k, c in truth.cause.items() if c == cause]
        for cause in set(truth.cause.values())
    }
    p = truth.probability
    researchers = of[CAUSE["researcher"]]
    assert np.mean([p[one.key] for one in researchers]) > 1.5 * np.mean(list(p.values()))
    assert any("Research" in str(one.fields["title"]) for one in researchers)
    personas = of[CAUSE["persona"]]
    assert (min(one.created_at for one in personas) - min(o.created_at for o in world.people)).days >= 364
    domains = {str(one.email).split("@")[1] for one in of[CAUSE["rebrand"]]}
    assert domains & set(truth.renamed.values())
    assert not domains & set(truth.renamed)
    assert any("(formerly " in account.name for account in world.accounts)
    blank = {
        cause: np.mean([sum(v is None for v in one.fields.values()) for one in ones])
        for cause, ones in of.items()
    }
    assert blank[CAUSE["outsider"]] > 1.3 * blank["standard"]


def test_what_would_have_become_of_them(made: tuple[World, Truth]) -> None:
    """A person in time makes the chance; without, a share of it is left; the same lot decides both histories."""
    _, truth = made
    left = set(truth.neglected)
    for key, chance in truth.probability.items():
        assert (key in truth.wins) == (truth.luck[key] < chance)
        assert truth.reach_by[key] > truth.scored_at[key]
        assert truth.unreached[key] == pytest.approx(0.35 * truth.reached[key], abs=0.01)
        assert chance == pytest.approx((truth.unreached if key in left else truth.reached)[key], abs=0.02)
        lost_for_want_of_work = key in left and chance <= truth.luck[key] < truth.reached[key]
        assert lost_for_want_of_work == (key in truth.would)


def test_the_past_suffers_from_neglect_of_low_scores(made: tuple[World, Truth]) -> None:
    """Reps go by the org's own points and have few hours: whom they leave has fewer, converts less, and shows no work."""
    world, truth = made
    left = set(truth.neglected)
    share = DEFAULT.attention.history
    may = [p for p in world.people if not p.fields["opted_out"]]
    assert 1 - len(left) / len(may) == pytest.approx(share, abs=0.05)
    then = _points_when_scored(world, truth)
    assert np.mean([then[k] for k in left]) < np.mean([then[k] for k in then if k not in left]) - 10
    assert any(key in truth.wins for key in left)
    assert len(truth.would) > 5
    assert set(truth.would) <= left - set(truth.wins)
    assert all(truth.scored_at[key] < at and amount > 0 for key, (at, amount) in truth.would.items())
    worked = {t.person for t in world.touches if t.owner and t.at > truth.scored_at[t.person]}
    assert not worked & (left - set(truth.wins))
    _, off = generate(600, 18, 5, scenario=DEFAULT.without("attention"))
    assert not off.neglected
    assert not off.would
    assert off.probability == {key: min(p, off.probability[key]) for key, p in off.reached.items()}


def _points_when_scored(world: World, truth: Truth) -> dict[str, int]:
    """As the field's history has them at the end of each lead's first week."""
    found = {}
    for person in world.people:
        moves = [c for c in world.changes if c.key == person.key and c.field == "points"]
        before = [c.new for c in moves if c.at <= truth.scored_at[person.key]]
        found[person.key] = before[-1] if before else moves[0].old if moves else person.fields["points"]
    return found


ERRORS = {
    "[hygiene]\nlosers = 0.1\nwinners = 2": ("line 3", "[hygiene] winners", "from 0 to 1", "default 0.85"),
    "[hygene]\nwinners = 1": ("line 1", "no such table", "Did you mean hygiene?"),
    'about = "x"\nnmae = "x"': ("line 2", "no such key", "Did you mean name?"),
    "blanks = 1.4": ("line 1", "It is a knob", "[world]"),
    "nothing_like_it = 1": ("line 1", "no such key", "name, about, data, form, off"),
    "[world]\n[flips]\n[world]": ("line 3", "[world] is there twice"),
    'name = "a"\nname = "b"': ("line 2", "name is there twice"),
    "[channels]\nrates = 3": ("line 2", "allowed is a table", '"web form" = 0.08'),
    'name = "City Hall"': ("line 1", "a small letter, then small letters, digits"),
    'data = "x_eduction"': ("line 1", "x_education, bank-calls, loan-applications"),
    '[cast.titles]\n"business boss" = ["x"]': ("line 2", "titles has no 'business boss'", "business manager"),
    "[cast.sources]\nradio = 1": ("line 2", "sources has no 'radio'", "web form"),
    "[cast.industries]\nmining = 1": ("line 2", "give it another name"),
    "[cast.industries]\nbees = -1": ("line 2", "a weight from 0 up"),
    "[cast.industries]\nbees = 0": ("line 1", "more than 0"),
    '[cast.source_names]\nevent = "fair"': ("line 2", "a list of names in quotes"),
    "[cast]\ntitles = 3": ("line 2", "allowed is a table", '"business manager" = ["Marketing Manager"'),
    "[reps]\nhonesty = 2": ("line 2", "[reps] honesty", "from 0 to 1", "default 1"),
    'off = ["reps"]': ("line 1", "no pathology"),
    'form = "trees"': ("line 1", "Name a data set"),
    'data = "bank-calls"\n[hygiene]': ("line 2", "hygiene is of made-up leads", "attention"),
    'off = ["flips"]\ndata = "bank-calls"': ("line 1", "flips is of made-up leads"),
    'data = "bank-calls"\n[attention]\nhistory = 0.5': ("line 3", "[attention] history"),
    "[flips]\n\nstrenght = 1": ("line 3", "no such knob", "Did you mean strength?"),
    '[new_persona]\nfrom_month = "May"': ("line 2", "a whole number from 0 to 120"),
    '[channels.days]\n"event" = 30\n"web form" = 900': ("line 3", "'web form' is 900", "from 5 to 170"),
    '[channels.rates]\nradio = 0.1': ("line 2", "no source is called 'radio'", "web form"),
    'name = "x"\noff = ["hygeine"]': ("line 2", "no pathology", "Did you mean hygiene?"),
    'off = ["flips"]\n[flips]\nstrength = 2.0': ("line 2", "also in off"),
    "flips = 3": ("line 1", "allowed is a table"),
    "[flips]\nstrength = true": ("line 2", "a number from 0 to 3"),
    'name = "Ä"': ("line 1", "name"),
    "[flips\nstrength = 1": ("not TOML", "line 1"),
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_errors_name_file_line_key_and_what_is_allowed(text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "mine.toml")
    for part in ("mine.toml", *ERRORS[text]):
        assert part in str(caught.value)


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes('\ufeffname = "mine"\r\n'.encode())
    assert read_scenario(tmp_path / "mine.toml").name == "mine"


def test_a_scenario_that_is_not_there_is_told_what_is(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"can't be read.*clean, default"):
        read_scenario(tmp_path / "none.toml")


def test_off_all_leaves_only_what_the_file_writes() -> None:
    scenario = parse('name = "one"\noff = ["all"]\n[referrals]\nshare = 0.2', "one.toml")
    assert scenario.referrals.share == 0.2
    assert scenario.hygiene == PATHOLOGIES["hygiene"].off()
    assert scenario.rebrands.share == 0


NUMBERS = [knob for knob in declared() if knob.low is not None and knob.high is not None]


@given(
    st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from((0.0, 0.3, 1.0))), max_size=12),
    st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_any_allowed_knobs_make_a_world_in_order(turned: list[tuple[Declared, float]], seed: int) -> None:
    """At the ends of their ranges too: chances are chances, and nothing comes before its lead or after today."""
    said: dict[str, dict[str, float]] = {}
    for knob, where in turned:
        assert knob.low is not None
        assert knob.high is not None
        value = knob.low + where * (min(knob.high, 24.0) - knob.low)
        said.setdefault(knob.table, {})[knob.name] = int(value) if isinstance(knob.default, int) else value
    world, truth = generate(40, 18, seed, scenario=Scenario.model_validate(said))
    assert all(0 < p < 1 for p in truth.reached.values())
    assert all(0 <= p < 1 for p in truth.probability.values())  # 0: nobody works it, and none buys alone
    assert all(0 <= (at - truth.scored_at[key]).days < truth.horizon_days for key, at in truth.wins.items())
    born = {person.key: person.created_at for person in world.people}
    assert all(born[touch.person] <= touch.at <= world.now for touch in world.touches)
    assert all(change.at >= born[change.key] for change in world.changes if change.kind == "person")
