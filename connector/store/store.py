"""The store: one PostgreSQL, migrated when it is opened. SQL lives in this folder and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from connector.errors import StoreError
from connector.store import schema as t
from connector.store.server import EmbeddedServer

_SCHEDULER_LOCK = 0x0CAD02
_PASS_LOCK = 0x0CAD03


class Store:
    """Open with `open_store`. Transactions: `with store.begin() as db:`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._rehearsal: Connection | None = None

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Everything that is stored inside is given up at its end: how a dry run walks the steps of the real one."""
        with _answering(), self.engine.connect() as db, db.begin() as transaction:
            self._rehearsal = db
            try:
                yield
            finally:
                self._rehearsal = None
                transaction.rollback()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction. Raises StoreError when the database is gone."""
        if self._rehearsal is not None:
            with self._rehearsal.begin_nested():
                yield self._rehearsal
            return
        with _answering(), self.engine.begin() as db:
            yield db

    @contextmanager
    def the_one(self, what: str) -> Iterator[bool]:
        """Hold the advisory lock of "scheduler" or "pass" if nobody else does; yields whether we hold it."""
        key = {"scheduler": _SCHEDULER_LOCK, "pass": _PASS_LOCK}[what]
        with _answering(), self.engine.connect() as db:
            held = bool(db.execute(text("select pg_try_advisory_lock(:key)"), {"key": key}).scalar())
            db.commit()
            try:
                yield held
            finally:
                if held:
                    with suppress(OperationalError):  # a connection that broke took its lock with it
                        db.execute(text("select pg_advisory_unlock(:key)"), {"key": key})
                        db.commit()

    # -- small facts of the installation --

    def get(self, key: str, default: Any = None) -> Any:
        with self.begin() as db:
            found = db.execute(select(t.state.c.value).where(t.state.c.key == key)).first()
        return default if found is None else found[0]

    def put(self, key: str, value: Any) -> None:
        with self.begin() as db:
            put(db, key, value)

    def forget(self, key: str) -> None:
        with self.begin() as db:
            db.execute(t.state.delete().where(t.state.c.key == key))


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreError(f"The database does not answer: {_first_line(error)}.", fix=_FIX) from None


def put(db: Connection, key: str, value: Any) -> None:
    statement = insert(t.state).values(key=key, value=value)
    db.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


_ADDRESS = "Set CANDOR_DATABASE_URL (or store.url) to postgresql://user:password@host:5432/database."
_FIX = "Is it up? Check CANDOR_DATABASE_URL (or store.url), or unset it to use the built-in one."


@contextmanager
def open_store(data: Path, url: str | None) -> Iterator[Store]:
    """The store at `url`, or the built-in server's under `data`. Raises StoreError."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        if url is None:
            url = stack.enter_context(EmbeddedServer(data / "database")).url
        elif url.startswith(("postgresql://", "postgres://")):
            url = "postgresql+psycopg://" + url.split("://", 1)[1]
        elif not url.startswith("postgresql+psycopg://"):
            raise StoreError("The database's address is not one of a PostgreSQL.", fix=_ADDRESS)
        try:
            engine = create_engine(url, pool_size=4, max_overflow=4, connect_args={"connect_timeout": 10})
            stack.callback(engine.dispose)
            migrate(engine)
        except OperationalError as error:
            raise StoreError(f"The database does not answer: {_first_line(error)}.", fix=_FIX) from None
        except Exception as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"The database can't be used: {_first_line(error)}.", fix=_FIX) from None
        yield Store(engine)


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest version."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _SCHEDULER_LOCK + 16})
        connection.execute(text(f"create schema if not exists {t.SCHEMA}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
