"""A lead that is deleted in the CRM goes out of what models learnt from (S10.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import insert, select

from connector.crm.base import Page, Record
from connector.store import records
from connector.store import schema as t
from connector.store.bulk import from_ipc, to_ipc
from tests.whole_loop import Made, open_store_in

AT = datetime(2026, 1, 1, tzinfo=UTC)
LEADS = ("00Q-first", "00Q-second", "00Q-second", "00Q-third")


def lead(id: str, deleted: bool = False, merged_into: str | None = None) -> Page:
    record = Record(
        "lead", id, AT, AT, {"email": f"{id}@a.example"}, deleted=deleted, merged_into=merged_into
    )
    return Page("leads", "c", (record,))


def learnt() -> dict[str, bytes]:
    n = len(LEADS)
    examples = {
        "lead_id": LEADS, "as_of": [AT] * n, "won": np.arange(n) % 2.0, "weight": np.ones(n), "group": ["1"] * n,
        "amount": np.full(n, 77_001.0), "like": [[1, 2]] * n, "logit": np.zeros(n), "like/source-web": [None, [3], [3], None],
        "logit/source-web": [None, 0.5, 0.5, None],
    }  # fmt: skip
    said = {
        "lead_id": LEADS, "as_of": [AT] * n, "kind": ["override"] * n, "says": np.full(n, 41.25), "by": ["somebody"] * n,
        "shown": np.full(n, 60.0), "outcome": np.full(n, np.nan), "learnt": [False] * n,
    }  # fmt: skip
    backtest = {"lead_id": LEADS, "score": np.arange(n) * 1.0}
    named = {"examples": examples, "said": said, "backtest": backtest}
    return {name: to_ipc(pa.table(columns)) for name, columns in named.items()}


def test_nothing_of_a_deleted_lead_is_left_with_a_model_but_that_somebody_was_like_it(
    made: Made, tmp_path: Path
) -> None:
    with open_store_in(made, tmp_path) as store:
        with store.begin() as db:
            for id in dict.fromkeys(LEADS):
                records.take_in(db, lead(id), now=AT, tracked=frozenset(), people=frozenset())
            for version in ("1", "2"):
                db.execute(
                    insert(t.model).values(
                        version=version, created_at=AT, status="retired", sha256="", blob=b"", card={}, manifest={}, **learnt()
                    )
                )  # fmt: skip

        def after(page: Page) -> list[dict[str, bytes]]:
            with store.begin() as db:
                records.take_in(db, page, now=AT, tracked=frozenset(), people=frozenset())
                query = select(t.model.c.examples, t.model.c.said, t.model.c.backtest)
                return [dict(row) for row in db.execute(query).mappings()]

        before = learnt()
        assert after(lead("00Q-third")) == [before, before], "a lead that stays"
        assert after(lead("00Q-third", True, "00Q-first")) == [before, before], "one that lives on in another"

        for model in after(lead("00Q-second", True)):
            assert all(b"00Q-second" not in blob for blob in model.values())
            examples, said, backtest = (from_ipc(model[name]) for name in ("examples", "said", "backtest"))
            assert examples["lead_id"].to_pylist() == ["00Q-first", "gone 0", "gone 0", "00Q-third"]
            assert examples["like/source-web"].to_pylist() == [None, [3], [3], None]
            assert examples["amount"].to_pylist() == [77_001.0, None, None, 77_001.0]
            assert examples["as_of"].to_pylist() == [AT, None, None, AT]
            words = said.to_pylist()[1]
            assert words.pop("lead_id") == "gone 0"
            assert set(words.values()) == {None}
            assert said["says"].to_pylist()[0] == 41.25
            assert backtest["lead_id"].to_pylist() == ["00Q-first", "00Q-third"]

        for model in after(lead("00Q-first", True)):
            ids = from_ipc(model["examples"])["lead_id"].to_pylist()
            assert ids == ["gone 1", "gone 0", "gone 0", "00Q-third"], "each stays one lead"
