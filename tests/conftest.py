"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import compileall
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.shared_plans import share
from tests.whole_loop import Loop, Made, State


def pytest_configure(config: pytest.Config) -> None:
    """What the tests start as processes of their own would compile Candor anew each time where Python writes no bytecode by
    itself (PYTHONDONTWRITEBYTECODE): half a second each. Here it is done before, by one process for all workers."""
    if not hasattr(config, "workerinput"):
        for package in ("connector", "crm_schema", "scoring"):
            compileall.compile_dir(config.rootpath / package, quiet=1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked as long begins first, whatever the order of the rest: else one worker waits for it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the session's own, the same for all of its workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def plans(shared: Path) -> Iterator[Path]:
    """The plans of features, made once for all workers and the processes that they start."""
    folder = shared / "plans"
    folder.mkdir(exist_ok=True)
    end = share(folder)
    yield folder
    end()


@pytest.fixture(scope="session")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """What the whole loop needs, made once for all workers of a session."""
    root = shared / "made"
    root.mkdir(exist_ok=True)
    found = Made(root, tmp_path_factory.mktemp("databases"))
    yield found
    found.close()


@pytest.fixture
def loop_of(made: Made, tmp_path: Path) -> Iterator[Callable[..., Loop]]:
    """loop_of(crm, state): an installation of its own for this test."""
    with contextlib.ExitStack() as stack:
        names = iter(range(1000))

        def new(crm: str, state: State, *, embedded: bool = False) -> Loop:
            folder = tmp_path / f"{crm}-{next(names)}"
            return stack.enter_context(made.loop(crm, state, folder, embedded=embedded))

        yield new
