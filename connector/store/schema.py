"""The tables. Alembic's migrations make them; this is what the code reads and writes by."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "candor"
metadata = MetaData(schema=SCHEMA)
_now = DateTime(timezone=True)
_no = text("false")

record = Table(
    "record", metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("created_at", _now, nullable=False),
    Column("modified_at", _now, nullable=False),
    Column("values", JSONB, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=_no),
    Column("merged_into", Text),
    Column("touched", Boolean, nullable=False, server_default=_no, comment="something new is known: score it anew"),
    Index("record_modified", "kind", "modified_at"),
    Index("lead_account", text("(\"values\" ->> 'account_id')"), postgresql_where=text("kind = 'lead'")),
    Index(
        "lead_host",
        text("reverse(split_part(lower(\"values\" ->> 'email'), '@', -1)) collate \"C\""),
        postgresql_where=text("kind = 'lead'"),
    ),
    Index("lead_contact", text("(\"values\" ->> 'contact_id')"), postgresql_where=text("kind = 'lead'")),
    comment="each record as the CRM showed it last",
)  # fmt: skip

change = Table(
    "change", metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("at", _now, nullable=False),
    Column("old", JSONB),
    Column("new", JSONB),
    Column("by", Text),
    Column("source", Text, nullable=False, comment="crm: its own history; seen: noticed by us between two passes; initial"),
    UniqueConstraint("kind", "id", "field", "at", "source", name="change_once"),
    comment="every field change with its time, from the CRM's history and kept from then on",
)  # fmt: skip

activity = Table(
    "activity", metadata,
    Column("id", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", _now, nullable=False),
    Column("person_id", Text),
    Column("account_id", Text),
    Column("actor", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("modified_at", _now, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=_no),
    Index("activity_person", "person_id", "at"),
    Index("activity_modified", "stream", "modified_at"),
)  # fmt: skip

cursor = Table(
    "cursor", metadata,
    Column("stream", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", _now, nullable=False),
    Column("rows", BigInteger, nullable=False, server_default=text("0")),
)  # fmt: skip

run = Table(
    "run", metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("job", Text, nullable=False),
    Column("started_at", _now, nullable=False),
    Column("ended_at", _now),
    Column("status", Text, nullable=False, comment="running, done, failed, stopped"),
    Column("summary", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
)  # fmt: skip

model = Table(
    "model", metadata,
    Column("version", Text, primary_key=True),
    Column("created_at", _now, nullable=False),
    Column("status", Text, nullable=False, comment="challenger, champion, retired"),
    Column("sha256", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("card", JSONB, nullable=False),
    Column("manifest", JSONB, nullable=False),
    Column("backtest", LargeBinary, comment="first-routed mature leads of its backtest, Arrow IPC"),
    Column("examples", LargeBinary, comment="which leads at which times it learnt from, Arrow IPC; with the manifest it is made again"),
    Column("said", LargeBinary, comment="what people said that it weighed, Arrow IPC"),
)  # fmt: skip

recalibration = Table(
    "recalibration", metadata,
    Column("version", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("at", _now, nullable=False),
    Column("start", JSONB, nullable=False, comment="what it began with when the model came: every later one begins there again"),
    Column("state", JSONB, nullable=False),
    Index("recalibration_model", "model", "at"),
    comment="what recent outcomes say of a model: its scores are moved by it",
)  # fmt: skip

score = Table(
    "score", metadata,
    Column("lead_id", Text, primary_key=True),
    Column("at", _now, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("recalibration", Text, comment="which one moved it; blank: the model alone"),
    Column("probability", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("fit", Double),
    Column("engagement", Double),
    Column("expected_amount", Double),
    Column("expected_value", Double),
    Column("evidence", Integer),
    Column("flags", JSONB, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("inputs", JSONB, nullable=False, comment="the features it was made from: it can be made again"),
)  # fmt: skip

decision = Table(
    "decision", metadata,
    Column("lead_id", Text, primary_key=True),
    Column("at", _now, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("route", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("qualified", Boolean, nullable=False),
    Column("added", JSONB, nullable=False),
    Column("edge_case", Boolean, nullable=False),
    Column("explored", Boolean, nullable=False, server_default=_no),
    Column("propensity", Double, comment="the recorded chance of the route where it was drawn"),
)  # fmt: skip

outbox = Table(
    "outbox", metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("values", JSONB, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False, comment="pending, sending, done, refused, superseded"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("code", Text),
    Column("message", Text),
    Column("created_at", _now, nullable=False),
    Column("sent_at", _now),
    Index("outbox_open", "state", "seq", postgresql_where=text("state in ('pending', 'sending')")),
)  # fmt: skip

feedback = Table(
    "feedback", metadata,
    Column("key", Text, primary_key=True, comment="what makes it one event: harvested once"),
    Column("kind", Text, nullable=False, comment="tag, override, review, form, closing"),
    Column("record_kind", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("lead_id", Text),
    Column("at", _now, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("by", Text, comment="whose record it is, who is taken to have said it"),
    Column("score", Double),
    Column("confidence", Double),
    Column("model", Text),
    Column("run_id", BigInteger, nullable=False),
)  # fmt: skip

review = Table(
    "review", metadata,
    Column("key", Text, primary_key=True),
    Column("lead_id", Text, nullable=False),
    Column("opened_at", _now, nullable=False),
    Column("due", _now, nullable=False),
    Column("tier", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("decision", Text),
    Column("reason", Text),
    Column("decided_at", _now),
    Column("outcome", Text),
)  # fmt: skip

form = Table(
    "form", metadata,
    Column("key", Text, primary_key=True, comment="the event it asks about: never asked twice"),
    Column("lead_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("owner_id", Text),
    Column("asked_at", _now, nullable=False),
    Column("answered_at", _now),
    Column("state", Text, nullable=False, comment="asked, answered, abandoned"),
)  # fmt: skip

quarantine = Table(
    "quarantine", metadata,
    Column("stream", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", _now, nullable=False),
    Column("row", JSONB),
    Column("ready_at", _now),
)  # fmt: skip

profile = Table(
    "profile", metadata,
    Column("stream", Text, primary_key=True),
    Column("at", _now, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("odd", BigInteger, nullable=False),
    Column("found", JSONB, nullable=False),
    comment="what each pull brought: blank shares, new values, odd rows by reason",
)  # fmt: skip

state = Table(
    "state", metadata,
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    comment="small facts of the installation: pause, applied schema, API use of the day",
)  # fmt: skip
