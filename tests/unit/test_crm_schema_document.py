"""The admin's pages are made from the declaration, so they can't tell of another org than `apply` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_schema.declaration import FIELDS
from crm_schema.document import PAGES
from crm_schema.naming import hubspot_name, salesforce_name

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_docs_is_the_one_the_declaration_gives(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run python -m crm_schema.document"


def test_every_field_is_on_both_pages() -> None:
    salesforce, hubspot = (PAGES[f"what-candor-adds-{crm}.md"]() for crm in ("salesforce", "hubspot"))
    for field in FIELDS:
        assert f"`{salesforce_name(field.key)}`" in salesforce
        if field.key != "status":  # a ticket's stage
            assert f"`{hubspot_name(field.key)}`" in hubspot
