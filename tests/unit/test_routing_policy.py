"""A policy is validated on load, and says what is wrong and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.errors import PolicyError
from scoring.routing.policy import Policy, load, parse


def test_no_file_means_the_spec() -> None:
    policy = load(None)
    assert policy.thresholds.established == 70
    assert policy.exploration.share == 0.03
    assert policy.horizon_days == 180


def test_a_file_names_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('standing_yes = ["releases"]\n[thresholds]\nestablished = 65\n')
    policy = load(file)
    assert (policy.thresholds.established, policy.thresholds.new) == (65, 50)
    assert policy.standing_yes == {"releases"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"thresholds": {"established": 170}}, ["thresholds.established", "170", "0 to 100 points"]),
        ({"thresholds": {"establishd": 70}}, ["thresholds.establishd", "no such key", "established"]),
        ({"treshold": {}}, ["treshold", "no such key", "thresholds"]),
        ({"exploration": {"share": "three"}}, ["exploration.share", "'three'", "0 to 0.25 share"]),
        ({"quadrants": 3}, ["quadrants", "table of review_below"]),
        ({"standing_yes": ["all"]}, ["standing_yes", "releases, retirements, thresholds"]),
        ({"review": {"strict": "perhaps"}}, ["review.strict", "true or false"]),
        ({"quadrants": {"high_confidence": 50}}, ["quadrants.review_below", "must not exceed"]),
        ({"horizon_days": 1.5}, ["horizon_days", "a whole number from 7 to 1095 days"]),
        ({"models": {"most": 5, "keep_gain": 2}}, ["models.most", "models.keep_gain"]),
    ],
)
def test_an_error_names_the_key_and_its_range(content: dict[str, object], words: list[str]) -> None:
    with pytest.raises(PolicyError) as error:
        parse(content)
    for word in words:
        assert word in str(error.value)


def test_a_missing_or_broken_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="can't be read"):
        load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[thresholds\n")
    with pytest.raises(PolicyError, match="not TOML"):
        load(broken)


def test_the_version_stands_for_the_content() -> None:
    assert Policy().version == parse({"thresholds": {"established": 70.0}}).version
    assert Policy().version != parse({"thresholds": {"established": 71}}).version


def test_every_number_has_a_unit_and_a_description() -> None:
    for group in Policy.model_fields.values():
        fields = getattr(group.annotation, "model_fields", {})
        for name, info in fields.items():
            assert info.description, name
            assert info.annotation is bool or info.json_schema_extra["unit"], name
