"""One person is on one side of every split; labels that nobody gave one by one are listed (S1.6)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.audit.suspect import Contact, doubtful, one_sided, persons, suspect, together

MINUTE = 60_000_000


def test_the_same_address_or_the_same_name_at_the_same_company_is_one_person() -> None:
    found = persons([
        Contact("a", "Ann.Lee+crm@x.example", "Ann", "Lee", "X Ltd"), Contact("b", "ann.lee@x.example"),
        Contact("c", "annlee@gmail.com", "ann", "LEE", "X  ltd"), Contact("d", None, "Ann", "Lee", None), Contact("e"),
    ])  # fmt: skip
    assert found["a"] == found["b"] == found["c"]
    assert len({found["a"], found["d"], found["e"]}) == 3


def test_people_of_one_lead_won_and_one_lost_are_counted() -> None:
    found = suspect({"a": "a", "b": "a", "c": "c"}, {"a": True, "b": False, "c": True}, [])
    assert (found.people, found.disagree) == ((("a", "b"),), 1)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.data())
def test_nobody_in_the_test_is_trained_on(who: list[int], data: st.DataObject) -> None:
    person = [str(w) for w in who]
    test = np.array(data.draw(st.lists(st.booleans(), min_size=len(who), max_size=len(who))), bool)
    held = one_sided(person, test)
    trained = {p for p, h in zip(person, held, strict=True) if not h}
    assert trained.isdisjoint(p for p, t in zip(person, test, strict=True) if t)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("pq")),
)
def test_groups_are_joined_whatever_joins_them(one: dict[str, str], two: dict[str, str]) -> None:
    found = together(one, two)
    for grouping in (one, two):
        for a in grouping:
            for b in grouping:
                assert grouping[a] != grouping[b] or found[a] == found[b]


def test_leads_closed_in_one_minute_or_by_a_machine_are_doubtful() -> None:
    ended = np.array([5 * MINUTE + i for i in range(25)] + [100 * MINUTE, 200 * MINUTE])
    won = np.zeros(27, bool)
    found = doubtful([f"L{i}" for i in range(27)], ended, won, ["U1"] * 26 + ["robot"], {"U1"})
    assert [(len(d.leads), d.why) for d in found] == [
        (25, "25 leads closed in one minute"),
        (1, "closed by an automation, not by a person"),
    ]
