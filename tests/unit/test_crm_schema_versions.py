"""Steps between versions of the schema, and what becomes of a value on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_schema import declaration, versions
from crm_schema.carrying import Hop, Refused, differing, renaming, usual
from crm_schema.choices import Choice
from crm_schema.declaration import Field
from crm_schema.versions import STEPS, Step, problems
from tests.integration import schema_versions

TEXT = Field("word", "Word", "text", ("lead",), "people", "", length=20)
NUMBER = Field("word", "Word", "number", ("lead",), "people", "")
FLAG = Field("word", "Word", "flag", ("lead",), "people", "")
CHOICE = Field(
    "word", "Word", "choice", ("lead",), "people", "", choices=(Choice("a", "First"), Choice("yes", "Yes"))
)
CHOICES = replace(CHOICE, type="choices")


def test_an_org_can_be_told_apart_by_todays_steps_and_by_those_of_the_tests() -> None:
    assert problems(declaration.FIELDS, STEPS) == []
    assert problems(schema_versions.fields("0.3"), schema_versions.STEPS) == []


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (Step("0.2", replace(TEXT, key="tags_old"), "nowhere"), "not declared"),
        (Step("0.2", schema_versions.BY_KEY["override_reason"], "trend"), "declared again with the same type"),
        (Step("0.2", schema_versions.TAGS, "tags", renamed={"unexpected_fit": "odd"}), "renamed and is declared again"),
    ],
)  # fmt: skip
def test_a_step_that_could_not_be_told_apart_is_refused(step: Step, word: str) -> None:
    [told] = problems(declaration.FIELDS, [step])
    assert word in told


def test_steps_stand_in_the_order_of_their_versions() -> None:
    steps = [Step("0.10", schema_versions.MOOD, None), Step("0.9", schema_versions.WHY, "override_reason")]
    assert "order" in problems(declaration.FIELDS, steps)[0]
    assert versions.number("0.10") > versions.number(versions.VERSION)


@pytest.mark.parametrize(
    ("was", "to", "value", "becomes"),
    [
        (TEXT, NUMBER, "62", 62.0), (NUMBER, TEXT, 62.0, "62"), (NUMBER, TEXT, 62.5, "62.5"), (FLAG, CHOICE, True, "yes"),
        (CHOICE, CHOICES, "a", ["a"]), (TEXT, CHOICE, "first", "a"), (CHOICES, TEXT, ["a", "yes"], "a; yes"),
        (TEXT, NUMBER, "about 60", None), (TEXT, CHOICE, "third", None), (NUMBER, FLAG, 1.0, None),
        (replace(TEXT, length=99), TEXT, "x" * 21, None),
    ],
)  # fmt: skip
def test_a_value_goes_whole_or_not_at_all(was: Field, to: Field, value: Any, becomes: Any) -> None:
    if becomes is None:
        with pytest.raises(ValueError, match=r".+"):
            usual(was, to)(value)
    else:
        assert usual(was, to)(value) == becomes


_PLAIN = st.one_of(st.none(), st.just(""), st.sampled_from(["a", "yes", "a;yes", "c"]))


@given(st.lists(st.tuples(_PLAIN, _PLAIN), max_size=8), st.booleans())
def test_what_was_carried_is_not_carried_again_and_nothing_is_lost(
    rows: list[tuple[Any, Any]], blanks: bool
) -> None:
    hop = Hop("Old", "New", CHOICES, CHOICES, renaming({"c": "a"}), blanks)
    table: dict[str, dict[str, Any]] = {str(n): {"Old": a, "New": b} for n, (a, b) in enumerate(rows)}
    before = {id: dict(row) for id, row in table.items()}
    for found in list(differing(list(table.items()), [hop])):
        assert not isinstance(found, Refused)
        table[found[0]].update(found[1])
    assert list(differing(list(table.items()), [hop])) == []
    for id, row in table.items():
        assert row["Old"] == before[id]["Old"]
        if blanks and before[id]["New"]:
            assert row["New"] == before[id]["New"]
        elif before[id]["Old"]:
            assert set(row["New"].split(";")) == {{"c": "a"}.get(v, v) for v in before[id]["Old"].split(";")}


def test_a_value_without_a_counterpart_is_named_and_the_rest_goes() -> None:
    hop = Hop("Old", "New", TEXT, NUMBER, usual(TEXT, NUMBER))
    rows = [("1", {"Old": "7"}), ("2", {"Old": "seven"})]
    written, refused = differing(rows, [hop])
    assert written == ("1", {"New": 7.0})
    assert isinstance(refused, Refused)
    assert (refused.id, refused.field) == ("2", "Old")
