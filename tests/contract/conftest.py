from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.contract.suite")

from tests.contract.adapters import BENCHES, Bench, HubSpotBench, SalesforceBench, Site, site  # noqa: E402
from tests.contract.small_world import small_world  # noqa: E402


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """Servers by vendor, started when first asked for."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        class Lazily(dict[str, Site]):
            def __missing__(self, vendor: str) -> Site:
                bench = next(b for b in BENCHES if b.vendor == vendor)
                self[vendor] = stack.enter_context(site(bench, tmp_path_factory.mktemp(vendor)))
                self[vendor].seed(small_world)
                return self[vendor]

        yield Lazily()


@pytest.fixture(params=[b.vendor for b in BENCHES])
def at(request: pytest.FixtureRequest, sites: dict[str, Site], tmp_path: Path) -> Iterator[Bench]:
    """A local CRM of each vendor, seeded with the small world, Candor's fields in it."""
    where = sites[request.param]
    with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
        yield bench


@pytest.fixture(params=[b.vendor for b in BENCHES])
def untouched(request: pytest.FixtureRequest, sites: dict[str, Site], tmp_path: Path) -> Iterator[Bench]:
    """The same, before Candor."""
    where = sites[request.param]
    with where.open(where.copy("bare", tmp_path / "org.sqlite")) as bench:
        yield bench


@pytest.fixture
def salesforce(sites: dict[str, Site], tmp_path: Path) -> Iterator[SalesforceBench]:
    where = sites["salesforce"]
    with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
        assert isinstance(bench, SalesforceBench)
        yield bench


@pytest.fixture
def hubspot(sites: dict[str, Site], tmp_path: Path) -> Iterator[HubSpotBench]:
    where = sites["hubspot"]
    with where.open(where.copy("candor", tmp_path / "org.sqlite")) as bench:
        assert isinstance(bench, HubSpotBench)
        yield bench
