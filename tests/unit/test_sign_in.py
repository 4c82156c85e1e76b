"""What `candor init` asks is each adapter's own affair: the command line knows no vendor's way in (issue 11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.cli import init
from connector.crm import registry
from connector.crm.registry import TITLES
from connector.crm.sign_in import Question, SignIn


def test_init_names_no_vendor() -> None:
    told = Path(init.__file__).read_text(encoding="utf-8").lower()
    assert [kind for kind in TITLES if kind in told] == []


@pytest.mark.parametrize("kind", TITLES)
def test_each_adapter_says_what_to_ask(kind: str) -> None:
    way = registry.sign_in(kind)
    assert way.address.startswith("https://")
    assert bool(way.intro) == bool(way.questions)
    assert way.same_for_all or "yourcompany" in way.address


def test_the_answers_become_options_and_files_whole_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    way = SignIn(
        "https://x",
        intro="Hello.",
        questions=(Question("client_id", "Id?"), Question("key_file", "File?", "k.pem")),
    )
    monkeypatch.setattr(init, "prompt", lambda text, default=None: default or f"answer to {text}")
    asked = init._ask(way)
    assert asked == {"client_id": "answer to Id?", "key_file": str(Path("k.pem").resolve())}
