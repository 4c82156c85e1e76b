"""What a new local CRM is asked to be filled with, and who makes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from connector.playground.world.generate import FIRST, generate
from connector.playground.world.mapping import ColumnType, TableMapping, read_mapping
from connector.playground.world.model import Truth, World
from connector.playground.world.scenario import Scenario
from connector.playground.world.scenario_file import read_scenario


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """What a new org is filled with: a generated world, real rows where the scenario names a data set, or with `csv` the
    rows of a file of leads."""

    leads: int = 5000
    months: int = 18
    seed: int = 7
    csv: Path | None = None
    mapping: Path | None = None
    """a TableMapping file, or the name of a shipped one; without it the mapping is proposed from the file"""
    scenario: str | None = None
    """a scenario file, or the name of a shipped one; without it first.toml"""
    events: Path | None = None
    """a file of dated events beside `csv`, read by `mapping`"""

    def played(self) -> Scenario | None:
        """None: a file's leads."""
        return None if self.csv is not None else read_scenario(self.scenario or FIRST)

    def check(self) -> None:
        """Whether it can be made, before anything is: ScenarioError, or InputError where real rows aren't at hand."""
        scenario = self.played()
        if scenario is not None and scenario.data is not None:
            _semi().folder_of(scenario.data)

    @property
    def snapshot(self) -> bool:
        """Whether the rows are undated: seen at one moment."""
        scenario = self.played()
        if scenario is None:
            return self.events is None
        return scenario.data is not None and scenario.data not in _semi().DATED

    @property
    def holds_back(self) -> bool:
        """Whether it is real rows, a part of which is open leads whose outcome the truth alone knows."""
        scenario = self.played()
        return self.events is None if scenario is None else scenario.data is not None

    @property
    def horizon_days(self) -> int | None:
        """Within which a lead is won or not at all; None: the policy's default."""
        scenario = self.played()
        if scenario is None:
            return self._mapping().horizon_days
        return None if scenario.data is None else _semi().HORIZON_DAYS.get(scenario.data)

    @property
    def ages_days(self) -> Sequence[float]:
        """At which a file's leads are scored; none: the default."""
        return () if self.csv is None else self._mapping().ages_days

    def described_by(self) -> tuple[Mapping[str, ColumnType], Collection[str]] | None:
        """Of real rows: the columns of their own that leads have, and which of the standard fields. None: a generated world,
        which has all of these and none besides."""
        scenario = self.played()
        if scenario is not None:
            return None if scenario.data is None else _semi().described_by(scenario.data)
        mapping = self._mapping()
        return {name: of.type for name, of in mapping.columns.items()}, mapping.lead

    def _mapping(self) -> TableMapping:
        assert self.mapping is not None  # a proposal was settled and saved before
        return read_mapping(self.mapping)

    def make(self) -> tuple[World, Truth]:
        if self.csv is None:
            scenario = self.played()
            if scenario is not None and scenario.data is not None:
                real: tuple[World, Truth] = _semi().of_scenario(scenario, self.seed)
                return real
            return generate(self.leads, self.months, self.seed, scenario=scenario)
        if self.events is not None and self.mapping is not None:
            dated = import_module("connector.playground.world.dated")
            made: tuple[World, Truth] = dated.load(self.csv, self.mapping, self.events)
            return made
        table = import_module("connector.playground.world.table")
        world, truth = table.load(self.csv, self.mapping)
        return world, truth

    def __str__(self) -> str:
        scenario = self.played()
        if scenario is None:
            return str(self.csv)
        return f"{self.leads} leads" if scenario.data is None else f"real rows of {scenario.data}"


def _semi() -> Any:
    """Loaded when real rows are asked for: it brings a fitting library along."""
    return import_module("connector.playground.world.semi")
