"""What is computed on an engine on the way to a result: each table once, kept until the workspace is left.

Ibis takes a second or so to turn the features' expressions into SQL, more than it takes to compute a hundred leads. So what is
to be done is noted by a `Planning`, and a workspace goes these steps again and again, on any tables of the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import ibis
import pyarrow as pa

Told = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, slots=True)
class Step:
    """A query, and the table its answer becomes; by way of Python where `told` is given. Without a name it is the result."""

    name: str | None
    sql: str
    told: Told | None = None


class Workspace:
    """Tables on the engine behind an Ibis connection. One at a time a connection."""

    def __init__(self, con: Any) -> None:
        self._con = con
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._names:
            self._con.drop_table(name, force=True)

    def put(self, name: str, table: pa.Table) -> Any:
        """An Arrow table, on the engine under a name of its own."""
        return self._create(f"candor_{name}", table)

    def number(self, name: str, value: int) -> Any:
        """A number that DuckDB knows by name: the same steps can be gone again with another."""
        _let(self._con.con, name, value)
        return getvariable(f"candor_{name}")

    def keep(self, expression: Any) -> Any:
        """A table that an expression names, computed now."""
        return self._step(expression, None)

    def tell(self, expression: Any, told: Told) -> Any:
        """What Python makes of a table: `told` takes it and gives another."""
        return self._step(expression, told)

    def fetch(self, expression: Any) -> pa.Table:
        """The result."""
        return expression.to_pyarrow()

    def again(
        self, steps: tuple[Step, ...], tables: Mapping[str, pa.Table], numbers: Mapping[str, int]
    ) -> pa.Table:
        """The result of the steps that a `Planning` on another DuckDB noted, over these tables and numbers: its own statements
        alone, since what Ibis thinks about each would be a third of what a few leads take."""
        duck = self._con.con
        for name, value in numbers.items():
            _let(duck, name, value)
        try:
            for name, table in tables.items():
                _copy(duck, f"candor_{name}", table)
            for step in steps:
                if step.name is None:
                    return duck.execute(step.sql).to_arrow_table()
                if step.told is not None:
                    _copy(duck, step.name, step.told(duck.execute(step.sql).to_arrow_table()))
                else:
                    duck.execute(f"CREATE TEMPORARY TABLE {step.name} AS {step.sql}")
        finally:
            names = (*(f"candor_{name}" for name in tables), *(step.name for step in steps if step.name))
            duck.execute(";".join(f"DROP TABLE IF EXISTS temp.main.{name}" for name in names))
        raise ValueError("steps without a result")

    def _step(self, expression: Any, told: Told | None) -> Any:
        return self._create(self._next(), expression if told is None else told(expression.to_pyarrow()))

    def _next(self) -> str:
        return f"candor_step_{len(self._names)}"

    def _create(self, name: str, table: Any = None, schema: Any = None) -> Any:
        temporary = True if self._con.supports_temporary_tables else None
        kept = self._con.create_table(name, table, schema=schema, temp=temporary)
        self._names.append(name)
        return kept


class Planning(Workspace):
    """The steps to a result, noted on a DuckDB of empty tables. Nothing is computed there: each step's table is made with its
    columns, so that Ibis turns each expression into SQL once."""

    def __init__(self, con: Any) -> None:
        super().__init__(con)
        self._steps: list[Step] = []

    def all_to(self, expression: Any) -> tuple[Step, ...]:
        """What was noted, and the result as the last step."""
        return (*self._steps, Step(None, self._con.compile(expression)))

    def _step(self, expression: Any, told: Told | None) -> Any:
        name = self._next()
        self._steps.append(Step(name, self._con.compile(expression), told))
        if told is None:
            return self._create(name, schema=expression.schema())
        return self._create(name, told(expression.schema().to_pyarrow().empty_table()))


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def getvariable(variable: str) -> int:
    """DuckDB's own: a constant by the time it plans."""
    raise NotImplementedError  # on the engine alone


def _let(duck: Any, name: str, value: int) -> None:
    duck.execute(f"SET VARIABLE candor_{name} = {value:d}::BIGINT")


def _copy(duck: Any, name: str, table: pa.Table) -> None:
    """An Arrow table into a temporary one."""
    duck.register("candor_given", table)
    try:
        duck.execute(f"CREATE TEMPORARY TABLE {name} AS FROM candor_given")
    finally:
        duck.unregister("candor_given")
