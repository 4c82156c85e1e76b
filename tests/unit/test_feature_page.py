"""The page of features is the catalogue's."""

from __future__ import annotations

import json

from benchmarks.feature_page import ANY, PAGE, SHARES, features, made_of, page
from connector.crm.parity import declared
from connector.demo.halfyear.known import play_settings
from connector.jobs.fields import features_of
from connector.settings import ExtraField, Mapping


def test_the_page_is_made_from_the_code() -> None:
    assert PAGE.read_text("utf-8") == page(json.loads(SHARES.read_text("utf-8"))), (
        "run python -m benchmarks.feature_page"
    )


def test_every_feature_was_measured_and_says_what_it_is_made_of() -> None:
    names = [feature.name for feature in features()]
    assert sorted(json.loads(SHARES.read_text("utf-8"))) == sorted(names)
    assert all(made_of(feature) for feature in features())


def test_each_crm_says_where_every_kind_of_activity_comes_from() -> None:
    for crm in declared().values():
        assert set(crm.activity_sources) == set(ANY)


def test_what_a_field_of_the_orgs_own_would_bring_is_told_and_comes_with_it() -> None:
    listed = play_settings().model_copy(
        update={"mapping": Mapping(extra={"email": ExtraField(field="Email", type="text", label="Email")})}
    )
    there, more = ({f.name for f in features_of(settings)} for settings in (play_settings(), listed))
    assert more - there == {"email_kind"}
    assert "`[mapping.extra.email]`" in PAGE.read_text("utf-8")
