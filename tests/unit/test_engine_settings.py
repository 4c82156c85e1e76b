"""Where features are computed, as candor.toml says it, and how it is told when that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.cli import main
from connector.settings import load
from scoring.errors import EngineError, ScoringError
from scoring.features import InputError

CRM = '[crm]\nkind = "hubspot"\nurl = "https://nowhere.invalid"\n'


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("duckdb://lake.duckdb", "duckdb://{folder}/lake.duckdb"),
        ("duckdb:///data/lake.duckdb", "duckdb:///data/lake.duckdb"),
        ("duckdb", "duckdb"),
        ("spark://local[2]", "spark://local[2]"),
    ],
)
def test_a_file_is_taken_from_the_folder_of_the_settings(
    named: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    file = tmp_path / "candor.toml"
    file.write_text(f'engine = "{named}"\n{CRM}')
    assert load(file).engine == meant.format(folder=tmp_path.resolve())
    file.write_text(CRM)
    monkeypatch.setenv("CANDOR_ENGINE", named)
    assert load(file).engine == meant.format(folder=tmp_path.resolve())


@pytest.mark.parametrize("kind", [InputError, EngineError])
def test_what_an_admin_can_mend_is_one_line(
    kind: type[ScoringError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise kind("`activities` has no column `kind`.", fix="Mend it.")

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "candor: `activities` has no column `kind`. Mend it.\n"
