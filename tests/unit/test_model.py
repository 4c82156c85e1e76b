"""The model says a probability, a range that contains the score, flags and reasons that add up, and stays the
same in a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import MissingColumn, OtherVersion, Tampered, TooFewOutcomes, WrongColumn
from scoring.model import baseline, card, design, deviation, store
from scoring.model.card import Model
from scoring.model.estimator import folds
from scoring.model.train import train


@dataclass(frozen=True)
class Column:
    name: str
    family: str
    type: str
    unit: str
    label: str
    role: str = "model"


FEATURES = (
    Column("log_employees", "firmographic", "number", "log(1 + people)", "Employees"),
    Column("visits", "behavioural", "number", "visits", "Visits"),
    Column("reply_hours", "behavioural", "number", "hours", "Usual time to reply"),
    Column("noise", "behavioural", "number", "days", "Noise"),
    Column("empty", "fact", "number", "", "Empty"),
    Column("constant", "fact", "number", "", "Constant"),
    Column("industry", "firmographic", "category", "name", "Industry"),
    Column("source", "firmographic", "category", "name", "Source"),
    Column("nothing", "fact", "category", "name", "Nothing"),
    Column("asked", "firmographic", "number", "0 or 1", "Asked", "routing"),
)
EFFECT = {"software": 0.9, "retail": -0.7, "banking": 0.0, "mining": 0.3}
SOURCES = {"web": 0.6, "list": -0.8, "event": 0.0}


def world(n: int, seed: int = 0, base: float = -1.6) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Rows, outcomes and true logits."""
    r = np.random.default_rng(seed)
    size, visits = r.normal(5, 1.5, n).clip(0), r.poisson(2, n).astype(float)
    industry, source = r.choice(list(EFFECT), n), r.choice(list(SOURCES), n)
    replied = r.random(n) < 0.4
    logit = base + 0.4 * (size - 5) + 0.5 * (np.log1p(visits) - 1) + 0.6 * replied
    logit += np.array([EFFECT[i] for i in industry]) + np.array([SOURCES[s] for s in source])
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    hidden = r.random((n, 2)) < 0.25
    return (
        pa.table(
            {
                "lead_id": [f"L{i}" for i in range(n)],
                "log_employees": pa.array(np.where(hidden[:, 0], np.nan, size), from_pandas=True),
                "visits": visits,
                "reply_hours": pa.array(np.where(replied, r.exponential(5, n), np.nan), from_pandas=True),
                "noise": r.normal(size=n),
                "empty": pa.nulls(n, pa.float64()),
                "constant": np.ones(n),
                "industry": pa.array([None if h else i for h, i in zip(hidden[:, 1], industry, strict=True)]),
                "source": source,
                "nothing": pa.nulls(n, pa.string()),
                "asked": np.zeros(n),
            }
        ),
        won,
        logit,
    )


@pytest.fixture(scope="module")
def trained() -> Model:
    rows, won, _ = world(1500)
    return train(
        rows, won, features=FEATURES, groups=np.arange(len(won)), amount=np.where(won > 0, 9000.0, np.nan)
    )


@pytest.fixture(scope="module")
def fresh() -> pa.Table:
    return world(800, seed=1)[0]


def one(**changed: Any) -> pa.Table:
    row = {
        "log_employees": 5.0, "visits": 2.0, "reply_hours": None, "noise": 0.0, "empty": None, "constant": 1.0,
        "industry": "banking", "source": "web", "nothing": None, "asked": 0.0,
    } | changed  # fmt: skip
    text = ("industry", "source", "nothing")
    return pa.table({k: pa.array([v], pa.string() if k in text else pa.float64()) for k, v in row.items()})


def test_ranks_leads_and_means_what_it_says(trained: Model) -> None:
    rows, won, logit = world(4000, seed=2)
    scores = trained.score(rows)
    assert np.corrcoef(scores.score, logit)[0, 1] > 0.75
    assert abs(scores.probability.mean() - won.mean()) < 0.03
    assert trained.card["metrics"]["auc"] > 0.65
    assert "asked" not in trained.design.names  # routing features are for people


def test_the_scale_is_the_specs(trained: Model, fresh: pa.Table) -> None:
    scores = trained.score(fresh)
    odds = scores.probability / (1 - scores.probability) / (trained.base_rate / (1 - trained.base_rate))
    assert np.allclose(scores.score, 100 * odds / (1 + odds))
    assert (scores.probability > 0).all()
    assert (scores.probability < 1).all()
    assert (scores.low < scores.score).all()
    assert (scores.score < scores.high).all()
    assert (scores.confidence == np.floor(100 - (scores.high - scores.low))).all()
    assert np.allclose(scores.expected_value, scores.probability * 9000)


def test_most_true_chances_lie_in_the_range(trained: Model) -> None:
    rows, _, logit = world(3000, seed=3)
    scores = trained.score(rows)
    truth = 100 / (1 + np.exp(-(logit - np.log(trained.base_rate / (1 - trained.base_rate)))))
    # nothing is hidden from the record here, which the model can't know: its ranges allow for a fact that is
    assert 0.9 < ((scores.low <= truth) & (truth <= scores.high)).mean() < 1
    assert (scores.high - scores.low).mean() < 50


def test_reasons_add_up_to_the_score_and_blanks_are_none(trained: Model, fresh: pa.Table) -> None:
    scores = trained.score(fresh)
    for score, reasons in zip(scores.score, scores.reasons, strict=True):
        assert sum(reason.points for reason in reasons) == pytest.approx(score - 50, abs=0.06)
        assert reasons[-1].text == "smaller things together"
    blank = trained.score(one(industry=None, log_employees=None))
    assert not {"industry", "log_employees"} & {reason.feature for reason in blank.reasons[0]}
    told = trained.score(one(industry="software", log_employees=np.log1p(1200.0))).reasons[0]
    assert {"Industry: software", "Employees 1,200"} <= {reason.text for reason in told}


def test_what_leads_do_is_one_reason_and_little_remains(trained: Model, fresh: pa.Table) -> None:
    scores = trained.score(fresh)
    behaviours = {column.name for column in FEATURES if column.family == "behavioural"}
    for reasons in scores.reasons:
        assert sum(reason.feature in behaviours for reason in reasons) <= 1
    texts = {reason.text for reasons in scores.reasons for reason in reasons}
    assert any(text.startswith("Activity on the site and by e-mail (") for text in texts)
    assert np.median([abs(reasons[-1].points) for reasons in scores.reasons]) < 5


def test_a_clock_is_no_deviation() -> None:
    rows, won, _ = world(400)
    days = pa.array(np.random.default_rng(0).exponential(5, 400))
    clock = Column("lead_age_days", "temporal", "number", "days", "Days since the lead came in")
    pace = Column("touches_7d", "temporal", "number", "touches", "Touches this week")
    rows = rows.append_column(clock.name, days).append_column(pace.name, days)
    ordinary = deviation.learn(rows, won, [clock, pace])
    assert [known.name for known in ordinary.numbers] == ["touches_7d"]


def test_from_when_a_value_is_flagged_is_the_policys() -> None:
    r = np.random.default_rng(1)
    touches = Column("touches_7d", "temporal", "number", "touches", "Touches this week")
    industry = Column("industry", "firmographic", "category", "name", "Industry")
    rows = pa.table({"touches_7d": r.normal(50, 5, 1000), "industry": ["mining"] * 5 + ["retail"] * 995})
    won = np.zeros(1000)
    won[[0, 1, 2, *range(5, 200)]] = 1
    asked = pa.table({"touches_7d": [70.0], "industry": ["mining"]})

    def codes(z: float, rare_wins: int) -> set[str]:
        ordinary = deviation.learn(rows, won, [touches, industry], z, rare_wins)
        return {flag.code for flag in ordinary.flags(asked)[0]}

    assert codes(z=2, rare_wins=2) - {"pair"} == {"number"}, "mining was won three times"
    assert codes(z=8, rare_wins=3) - {"pair"} == {"rare"}


def test_a_rare_but_strong_value_keeps_its_effect() -> None:
    r = np.random.default_rng(4)
    title = r.choice([f"kind {i}" for i in range(9)] + ["student"], 3000)
    won = (r.random(3000) < np.where(title == "student", 0.02, 0.12)).astype(float)
    column = Column("function", "firmographic", "category", "name", "Job function")
    model = train(pa.table({"function": title}), won, features=[column], groups=np.arange(3000))
    student, other = model.score(pa.table({"function": ["student", "kind 1"]})).probability
    assert student < 0.7 * other


def test_blank_and_new_values_widen_the_range_apart(trained: Model) -> None:
    plain, blank, new = (
        trained.score(row) for row in (one(), one(industry=None), one(industry="biotech", source="web"))
    )
    assert plain.width_blanks[0] == plain.width_unseen[0] == 0
    assert blank.width_blanks[0] > 3
    assert new.width_unseen[0] > 10
    assert new.confidence[0] < plain.confidence[0]
    assert new.evidence[0] <= plain.evidence[0]


def test_flags_are_rare_and_read_as_sentences(trained: Model, fresh: pa.Table) -> None:
    assert np.mean([len(flags) for flags in trained.score(fresh).flags]) < 0.5
    odd = trained.score(one(industry="biotech", log_employees=np.log1p(40_000.0))).flags[0]
    assert [flag.code for flag in odd] == ["new", "number"]
    assert odd[0].text == "New industry for you: biotech"
    assert odd[1].text.startswith("Employees 40,000: ")
    assert odd[1].text.endswith("× your typical lead")


def test_what_never_comes_together_is_flagged_with_both_fields() -> None:
    """Three facts that go together, and a lead with one from another lead: each value common, the mix not."""
    r = np.random.default_rng(5)

    def rows(kind: np.ndarray) -> pa.Table:
        n = len(kind)
        return pa.table({
            "industry": np.array(["retail", "mining", "software"])[np.where(r.random(n) < 0.97, kind, r.integers(0, 3, n))],
            "source": np.array(["web", "event", "list"])[np.where(r.random(n) < 0.97, kind, r.integers(0, 3, n))],
            "visits": 10.0 * kind + r.poisson(3, n),
        })  # fmt: skip

    kinds = r.integers(0, 3, 3000)
    known = deviation.learn(
        rows(kinds), np.zeros(3000), [f for f in FEATURES if f.name in ("industry", "source", "visits")]
    )
    odd = pa.table({"industry": ["retail", "retail"], "source": ["web", "web"], "visits": [3.0, 24.0]})
    plain, strange = known.flags(odd)
    assert not plain
    assert [flag.code for flag in strange] == ["pair"]
    assert strange[0].text.startswith("Unusual together: ")
    assert "visits 24" in strange[0].text
    assert "visits" in strange[0].feature
    fresh = rows(r.integers(0, 3, 2000))
    alarms = np.mean([any(f.code == "pair" for f in flags) for flags in known.flags(fresh)])
    assert alarms < 0.05


def test_a_new_value_reaches_further_where_values_differ_more() -> None:
    """Eight sources that are all alike, eight industries that differ: what is new is in more doubt among these."""
    r = np.random.default_rng(6)
    n = 4000
    source, industry = r.integers(0, 8, n), r.integers(0, 8, n)
    effect = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 2.0, 3.0])
    won = (r.random(n) < 1 / (1 + np.exp(2.0 - effect[industry]))).astype(float)
    table = pa.table({"source": [f"s{i}" for i in source], "industry": [f"i{i}" for i in industry]})
    named = [f for f in FEATURES if f.name in ("source", "industry")]
    model = train(table, won, features=named, groups=np.arange(n))
    asked = pa.table({"source": ["s0", "new", "s0"], "industry": ["i0", "i0", "new"]})
    plain, alike, differing = model.score(asked).width_unseen
    assert plain == 0 < alike < differing
    scores = model.score(asked)
    assert scores.high[2] - scores.score[2] > scores.score[2] - scores.low[2], (
        "a value may be far better, hardly far worse"
    )


def test_a_blank_with_a_rate_of_its_own_is_no_doubt_where_it_is_usual() -> None:
    """The source is blank for a third of the leads, who are won far less often than any source; the industry is blank for as
    many, at random. Only the random one hides something; and so does the usual one beside a blank that never was."""
    r = np.random.default_rng(7)
    n = 4000
    source, industry = r.integers(0, 4, n), r.integers(0, 4, n)
    lacks, omitted = r.random(n) < 0.33, r.random(n) < 0.33
    size = r.normal(size=n)
    logit = (
        np.where(lacks, -3.5, np.array([-1.5, -1.0, -0.3, 0.3])[source])
        + np.array([-1.0, 0.0, 0.5, 1.5])[industry]
        + 0.8 * size
    )
    won = (r.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    table = pa.table({
        "source": [None if b else f"s{i}" for b, i in zip(lacks, source, strict=True)],
        "industry": [None if b else f"i{i}" for b, i in zip(omitted, industry, strict=True)],
        "log_employees": size,
    })  # fmt: skip
    named = [f for f in FEATURES if f.name in table.column_names]
    model = train(table, won, features=named, groups=np.arange(n))
    assert model.point.trees, "a regression alone can't know what a blank means"
    asked = pa.table({
        "source": pa.array([None, "s1", None]), "industry": pa.array(["i1", None, "i1"]),
        "log_employees": pa.array([0.0, 0.0, None]),
    })  # fmt: skip
    usual, random, damaged = model.score(asked).width_blanks
    assert usual < 3 < random
    assert damaged > random


def test_the_same_seed_gives_the_same_model(trained: Model, fresh: pa.Table) -> None:
    rows, won, _ = world(1500)
    again = train(rows, won, features=FEATURES, groups=np.arange(len(won)))
    assert np.array_equal(again.score(fresh).score, trained.score(fresh).score)


def test_a_model_that_lacks_a_part_of_this_version_is_refused(trained: Model, tmp_path: Path) -> None:
    plain = store._plain(trained)
    del plain["explainer"]["blank"]
    path = tmp_path / "earlier.skops"
    path.write_bytes(skops.io.dumps(plain))
    with pytest.raises(OtherVersion, match="candor train"):
        store.load(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_saved_model_says_the_same(trained: Model, fresh: pa.Table, tmp_path: Path) -> None:
    digest = store.save(trained, tmp_path / "model.skops")
    loaded = store.load(tmp_path / "model.skops", digest)
    before, after = trained.score(fresh), loaded.score(fresh)
    assert np.array_equal(before.high, after.high)
    assert before.reasons == after.reasons
    assert before.flags == after.flags
    assert loaded.card == trained.card


def test_trees_are_saved_too(trained: Model, fresh: pa.Table, tmp_path: Path) -> None:
    from scoring.model.estimator import Sample, fit_tree

    rows, won, _ = world(400)
    encoded = trained.design.encode(rows)
    sample = Sample(
        encoded, trained.design.additive(encoded), won, np.ones(400), np.arange(400), np.arange(400)
    )
    tree = fit_tree(trained.design, sample, 20, 0)
    with_trees = replace(trained, point=replace(trained.point, trees=(tree,), share=0.5))
    digest = store.save(with_trees, tmp_path / "model.skops")
    loaded = store.load(tmp_path / "model.skops", digest)
    assert np.array_equal(loaded.score(fresh).score, with_trees.score(fresh).score)


def test_a_changed_file_is_refused(trained: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    digest = store.save(trained, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Tampered, match="SHA-256"):
        store.load(path, digest)
    with pytest.raises(Tampered, match="can't be read"):
        store.load(tmp_path / "none.skops", digest)


def test_a_handful_of_wins_gives_a_cautious_model(fresh: pa.Table, trained: Model) -> None:
    rows, won, _ = world(300, base=-4.0)
    assert 1 <= won.sum() < 30
    model = train(rows, won, features=FEATURES, groups=np.arange(300))
    assert model.point.trees == ()
    few, many = model.score(fresh), trained.score(fresh)
    assert (few.high - few.low).mean() > (many.high - many.low).mean()
    single = np.zeros(300)
    single[0] = 1
    assert np.isfinite(train(rows, single, features=FEATURES, groups=np.arange(300)).score(fresh).high).all()


@pytest.mark.parametrize("seed", range(6))
def test_calibration_never_turns_the_order_round(seed: int) -> None:
    r = np.random.default_rng(seed)
    rows, _, _ = world(240, seed)
    won = (r.random(240) < 0.06).astype(float)
    won[:2] = 0.0, 1.0
    found = train(rows, won, features=FEATURES, groups=np.arange(240))
    assert found.point.slope > 0, "of pure noise"


def test_outcomes_of_one_kind_are_refused_with_what_to_do() -> None:
    rows, _, _ = world(60)
    for outcomes in (np.zeros(60), np.ones(60)):
        with pytest.raises(TooFewOutcomes, match="mapped to won and lost"):
            train(rows, outcomes, features=FEATURES, groups=np.arange(60))


def test_a_missing_column_is_named(trained: Model) -> None:
    with pytest.raises(MissingColumn, match="'visits'"):
        trained.score(one().drop_columns(["visits"]))


def test_a_lead_counts_once_however_often_it_was_seen() -> None:
    rows, won, _ = world(300)
    thrice = pa.concat_tables([rows, rows, rows])
    once = train(rows, won, features=FEATURES, groups=np.arange(300))
    often = train(thrice, np.tile(won, 3), features=FEATURES, groups=np.tile(np.arange(300), 3))
    assert often.base_rate == pytest.approx(once.base_rate)
    assert often.card["data"]["leads"] == 300
    a, b = (np.trace(m.point.additive.covariance) / len(m.point.additive.coef) for m in (once, often))
    assert b > 0.5 * a  # three copies are not three times the evidence


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=20, max_size=80), st.integers(0, 5))
def test_folds_never_split_a_group(pairs: list[tuple[int, bool]], seed: int) -> None:
    group = np.array([g for g, _ in pairs])
    fold = folds(group, np.array([float(w) for _, w in pairs]), 4, seed)
    assert all(len(set(fold[group == g])) == 1 for g in group)


@settings(max_examples=30, deadline=None)
@given(
    st.one_of(st.none(), st.floats(-1e12, 1e12)),
    st.one_of(st.none(), st.text(max_size=8)),
    st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
)
def test_any_row_gets_a_score(
    trained: Model, size: float | None, industry: str | None, hours: float | None
) -> None:
    scores = trained.score(one(log_employees=size, industry=industry, reply_hours=hours))
    assert 0 < scores.low[0] < scores.score[0] < scores.high[0] < 100
    assert 0 <= scores.confidence[0] <= 100


def test_nothing_but_blanks_still_gives_a_model() -> None:
    rows, won, _ = world(200)
    blank = rows.select(["lead_id", "empty", "nothing", "constant"])
    features = [f for f in FEATURES if f.name in blank.column_names]
    scores = train(blank, won, features=features, groups=np.arange(200)).score(blank)
    assert np.allclose(scores.probability, won.mean(), atol=0.01)


def test_a_column_of_another_type_is_named_with_a_fix_and_none_of_its_values() -> None:
    words = pa.table({"employees": ["12", "Ann Lee"], "lists": [[1.0], [2.0]]})
    with pytest.raises(
        WrongColumn, match=r"'employees' \(string\) .* numbers.* Give it as numbers"
    ) as raised:
        design.number_column(words, "employees")
    assert "Ann" not in str(raised.value)
    with pytest.raises(WrongColumn, match=r"'lists'"):
        design.number_column(words, "lists")
    assert design.number_column(words.slice(0, 1), "employees").tolist() == [12.0]
    with pytest.raises(WrongColumn, match=r"'odd' .* text"):
        design.category_column(pa.table({"odd": [{"a": 1}]}), "odd")


def test_a_null_is_a_blank_and_never_a_value() -> None:
    table = pa.table({"a": pa.array([1.0, None, float("nan")]), "b": pa.array(["x", None, "None"])})
    assert np.isnan(design.number_column(table, "a")).tolist() == [False, True, True]
    codes, values = design.category_column(table, "b")
    assert codes.tolist() == [0, design.BLANK, 1]
    assert values == ["x", "None"]


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_text_is_a_blank_and_never_a_value(trained: Model, nothing: str) -> None:
    empty, blank = trained.score(one(industry=nothing)), trained.score(one(industry=None))
    assert empty.score == blank.score
    assert empty.flags == blank.flags
    assert empty.reasons == blank.reasons
    for many in (1, 40):
        rows = pa.table({"x": [nothing, "a", None, "b", "a"] * many})
        codes, values = design.category_column(rows, "x")
        assert values == ["a", "b"]
        assert codes[:5].tolist() == [design.BLANK, 0, design.BLANK, 1, 0]


def test_usual_practice_looks_at_tidy_closed_deals_only() -> None:
    rows, won, _ = world(1200)
    closed = (won > 0) | (np.arange(1200) % 2 == 0)
    usual = baseline.train_usual_practice(rows, won, closed, features=FEATURES)
    assert set(usual.design.names) == {"log_employees", "industry", "source"}
    scores = usual.score(rows)
    assert (scores.qualifies == (scores.score >= 50)).all()
    assert "nothing more" in scores.sentences[0]
    assert ", 1 of its 3 fields is blank, and" in usual.say(one(industry=None))
    with pytest.raises(TooFewOutcomes):
        baseline.train_usual_practice(rows, won, won > 0, features=FEATURES)


def test_an_age_between_those_trained_on_is_no_cliff() -> None:
    """Training looks at leads at a few ages; a pass scores them at every age. Younger leads win more often here, so the
    commonest age tempts a model into a step that only that very age gets."""
    rng = np.random.default_rng(3)
    n = 1500
    ages = np.repeat([1.0, 7.0, 30.0], n // 3)
    other = rng.normal(size=n)
    won = rng.random(n) < 1 / (1 + np.exp(-(-1.0 - 0.05 * ages + 0.5 * other)))
    features = (
        Column("lead_age_days", "temporal", "number", "days", "Days since the lead came in"),
        Column("other", "fact", "number", "", "Other"),
    )
    rows = pa.table({"lead_age_days": ages, "other": other})
    model = train(rows, won.astype(float), features=features, groups=np.arange(n), seed=0)
    asked = pa.table({"lead_age_days": [1.0, 1.1, 2.0, 0.5], "other": [0.0] * 4})
    p = model.score(asked).probability
    assert np.abs(p - p[0]).max() < 0.1


def test_rows_are_scored_the_same_alone_and_in_chunks_side_by_side(
    trained: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = world(90, seed=11)[0]
    whole = trained.score(rows)
    monkeypatch.setattr(card, "CHUNK", 32)
    in_chunks = trained.score(rows)
    alone = [trained.score(rows.slice(i, 1)) for i in range(20)]
    for name in ("probability", "score", "low", "high", "confidence", "width_familiar", "evidence"):
        assert np.array_equal(getattr(whole, name), getattr(in_chunks, name))
        assert [getattr(one, name)[0] for one in alone] == getattr(whole, name)[:20].tolist()
    assert in_chunks.reasons == whole.reasons
    assert list(in_chunks.flags) == whole.flags
    assert [one.reasons[0] for one in alone] == whole.reasons[:20]
    assert in_chunks.reasons[-1] == whole.reasons[89]
