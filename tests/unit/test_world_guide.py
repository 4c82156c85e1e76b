"""docs/scenarios.md does what it says: its example is a file that runs, its error is the error, its knobs are the code's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from connector.errors import InputError
from connector.playground.world.guide import PAGE, page
from connector.playground.world.options import WorldOptions
from connector.playground.world.scenario import PATHOLOGIES
from connector.playground.world.scenario_file import ScenarioError, read_scenario

TEXT = PAGE.read_text("utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    found = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert found
    file = tmp_path / "city_hall.toml"
    file.write_text(found[1], "utf-8")
    return file


def test_the_page_is_what_the_code_declares() -> None:
    assert page() == TEXT, "run python -m connector.playground.world.guide"


def test_the_example_of_the_page_runs(example: Path) -> None:
    scenario = read_scenario(example)
    assert scenario.name == "city_hall"
    assert scenario.researchers == PATHOLOGIES["researchers"].off()
    assert scenario.channels.rates["event"] == 0.09
    assert scenario.channels.rates["outbound list"] == 0.02
    world, truth = WorldOptions(200, 18, 1, scenario=str(example)).make()
    assert len(world.people) == 200
    assert truth.scenario == "city_hall"


def test_the_vertical_of_the_page_is_who_comes(tmp_path: Path) -> None:
    found = next(one for one in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL) if "[cast]" in one)
    (tmp_path / "vertical.toml").write_text(found, "utf-8")
    world, _ = WorldOptions(400, 18, 1, scenario=str(tmp_path / "vertical.toml")).make()
    fields = [person.fields for person in world.people]
    industries = {str(one["industry"]).lower() for one in fields}
    assert {"dental practices", "veterinary clinics"} <= industries
    assert not industries & {"software", "retail", "manufacturing"}
    assert sum(one["source"] in ("TikTok Ads", "tiktok") for one in fields) > 80
    assert not any(one["source"] == "Google Ads" for one in fields)
    assert any(one["title"] == "Practice Manager" for one in fields)


def test_the_example_of_real_rows_is_read_and_says_so_where_they_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = next(one for one in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL) if "\ndata = " in one)
    (tmp_path / "loans.toml").write_text(found, "utf-8")
    scenario = read_scenario(tmp_path / "loans.toml")
    assert (scenario.data, scenario.form, scenario.attention.unreached) == ("loan-applications", "trees", 0.5)
    monkeypatch.setenv("CANDOR_DATA", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"not at .*none.*CANDOR_DATA"):
        WorldOptions(scenario=str(tmp_path / "loans.toml")).check()


def test_the_error_of_the_page_is_the_error(example: Path) -> None:
    example.write_text(example.read_text("utf-8").replace("share = 0.8", "share = 1.8"), "utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_scenario(example)
    assert str(caught.value).replace(str(example), example.name) in TEXT


@pytest.mark.parametrize(
    "module", ["connector.cli.main playground", "connector.playground.server --crm hubspot"]
)
def test_a_wrong_scenario_ends_before_anything_is_made(module: str, example: Path) -> None:
    example.write_text("[flips]\nstrength = 9", "utf-8")
    data = example.parent / "data"
    command = [sys.executable, "-m", *module.split(), "--data", str(data), "--scenario", str(example)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    said = " ".join((ended.stdout + ended.stderr).split())
    assert "line 2, [flips] strength is 9" in said
    assert "from 0 to 3" in said
    assert "Traceback" not in said
    assert not (data / "truth.json").exists()
