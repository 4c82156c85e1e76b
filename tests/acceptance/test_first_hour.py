"""A new admin's first hour and the last one: init asks and keeps no secret, silence about a status is refused, what was
removed comes back whole when it is applied again (S9.1, S10.2)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from typer.testing import CliRunner

from connector.cli.main import app
from connector.errors import SettingsError
from connector.settings import load
from tests.whole_loop import CRMS, Loop


def init(folder: Path, *arguments: str, answers: str = "") -> Any:
    return CliRunner().invoke(app, ["init", "--config", str(folder / "new.toml"), *arguments], input=answers)


def reach(loop: Loop) -> list[str]:
    info = loop.info
    ca = ["--ca", info["ca"]] if info["ca"] else []
    return ["--url", info["url"], "--token-file", info["token_file"], *ca, "--clock-url", info["clock_url"]]


def written(did: Any) -> list[tuple[str, str]]:
    return sorted((line["kind"], line["id"]) for line in did["wrote"])


@pytest.mark.parametrize("crm", CRMS)
def test_init_asks_what_it_is_not_told_and_keeps_no_secret(
    crm: str, loop_of: Callable[..., Loop], tmp_path: Path
) -> None:
    loop = loop_of(crm, "trained")
    told = init(tmp_path, *reach(loop), answers=f"{crm}\nno such meaning\n" + "\n" * 12)
    assert told.exit_code == 0, told.output
    assert "Which CRM" in told.output
    assert "Say one of: open, won" in told.output
    written = (tmp_path / "new.toml").read_text()
    assert Path(loop.info["token_file"]).read_text().strip() not in written
    settings = load(tmp_path / "new.toml")
    assert settings.crm.kind == crm
    assert {"lost", "open", "recycled"} <= set(settings.outcome.status.values())


def test_init_asks_again_where_a_status_of_many_leads_would_mean_nothing(
    loop_of: Callable[..., Loop], tmp_path: Path
) -> None:
    loop = loop_of("salesforce", "trained")
    told = init(tmp_path, "--crm", "salesforce", *reach(loop), answers="nothing\nlost\n" * 12)
    assert told.exit_code == 0, told.output
    assert "too many leads to mean nothing" in told.output
    assert load(tmp_path / "new.toml").outcome.status["Closed - Not Converted"] == "lost"


def test_init_asks_before_it_writes_over_settings_and_needs_a_value_for_each_option(tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("# mine\n")
    assert init(tmp_path, "--crm", "hubspot", answers="n\n").exit_code == 1
    assert (tmp_path / "new.toml").read_text() == "# mine\n"
    told = init(
        tmp_path, "--crm", "salesforce", "--url", "https://x.example", "--option", "client_id", "--yes"
    )
    assert isinstance(told.exception, SettingsError)


def test_train_refuses_a_status_that_closes_many_leads_and_means_nothing(
    loop_of: Callable[..., Loop],
) -> None:
    loop = loop_of("salesforce", "trained")
    document: Any = tomlkit.parse(loop.config.read_text())
    lost = next(
        s
        for s, meaning in tomllib.loads(loop.config.read_text())["outcome"]["status"].items()
        if meaning == "lost"
    )
    del document["outcome"]["status"][lost]
    loop.config.write_text(tomlkit.dumps(document))
    refused = loop.candor("train")
    assert refused.code == 1
    assert lost in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("crm", CRMS)
def test_removed_and_applied_again_the_org_gets_every_score_and_case_anew(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "trained")
    first = loop.candor("sync", "--json").json()
    removed = loop.candor("remove", "--yes", "--json").json()
    assert removed["left"] == []
    assert removed["exported"] >= first["pushed"]
    assert (Path(removed["folder"]) / "lead.csv").read_text().count("\n") > 100
    assert loop.candor("remove", "--yes", "--json").json()["done"] == []
    assert loop.candor("apply", "--yes", "--json").json()["done"]
    again = loop.candor("sync", "--json").json()
    assert written(again) == written(first)
    assert again["pushed"] == first["pushed"]


@pytest.mark.parametrize("crm", CRMS)
def test_scoring_all_leads_anew_at_the_same_clock_changes_nothing(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    anew = loop.candor("sync", "--all", "--json").json()
    assert anew["scored"] > 100
    assert anew["wrote"] == []
    assert anew["routes"].get("person_sdr", 0) > 0
