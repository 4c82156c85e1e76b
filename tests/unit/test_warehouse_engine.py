"""The engine between two builds: kept open for touched leads, closed after many and after what failed."""

from __future__ import annotations

import pytest

from connector.jobs import warehouse
from connector.settings import Settings

HERE = Settings(crm={"kind": "hubspot", "url": "https://nowhere.invalid"}, engine="duckdb")


@pytest.fixture(autouse=True)
def none_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "_idle", [])


def test_an_engine_for_a_few_leads_is_there_for_the_next() -> None:
    with warehouse.engine(HERE, again=True) as first, warehouse.engine(HERE, again=True) as beside:
        assert beside is not first, "one at a time"
    with warehouse.engine(HERE, again=True) as next_one:
        assert next_one in (first, beside)
        assert next_one.raw_sql("SELECT 1").fetchall() == [(1,)]


def test_an_engine_for_many_leads_is_closed() -> None:
    with warehouse.engine(HERE) as found:
        pass
    with pytest.raises(Exception, match="closed"):
        found.raw_sql("SELECT 1")
    assert warehouse._idle == []


def test_an_engine_on_which_something_failed_is_not_used_again() -> None:
    with pytest.raises(ValueError, match="broken"), warehouse.engine(HERE, again=True) as found:
        raise ValueError("broken")
    with warehouse.engine(HERE, again=True) as other:
        assert other is not found
