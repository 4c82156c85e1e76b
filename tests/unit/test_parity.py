"""What works where is generated from code and says it whole (S9.5)."""

from __future__ import annotations

from connector.crm.parity import PAGE, declared, page
from connector.crm.registry import TITLES


def test_the_page_is_as_the_adapters_declare() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(declared()), "run python -m connector.crm.parity"


def test_every_crm_and_every_limit_with_its_reason_is_on_it() -> None:
    found = declared()
    assert set(found) == set(TITLES)
    text = page(found)
    for capabilities in found.values():
        assert capabilities.title in text
        for name, why in capabilities.not_implemented.items():
            assert f"| {name} |" in text
            assert why in text
