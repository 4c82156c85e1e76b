"""the first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="candor",
    )
    op.create_index("activity_modified", "activity", ["stream", "modified_at"], unique=False, schema="candor")
    op.create_index("activity_person", "activity", ["person_id", "at"], unique=False, schema="candor")
    op.create_table(
        "change",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("old", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("new", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="crm: its own history; seen: noticed by us between two passes; initial",
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("kind", "id", "field", "at", "source", name="change_once"),
        schema="candor",
        comment="every field change with its time, from the CRM's history and kept from then on",
    )
    op.create_table(
        "cursor",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("stream"),
        schema="candor",
    )
    op.create_table(
        "decision",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("qualified", sa.Boolean(), nullable=False),
        sa.Column("added", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edge_case", sa.Boolean(), nullable=False),
        sa.Column("explored", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "propensity",
            sa.Double(),
            nullable=True,
            comment="the recorded chance of the route where it was drawn",
        ),
        sa.PrimaryKeyConstraint("lead_id", "at"),
        schema="candor",
    )
    op.create_table(
        "feedback",
        sa.Column("key", sa.Text(), nullable=False, comment="what makes it one event: harvested once"),
        sa.Column("kind", sa.Text(), nullable=False, comment="tag, override, review, form, closing"),
        sa.Column("record_kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        schema="candor",
    )
    op.create_table(
        "form",
        sa.Column("key", sa.Text(), nullable=False, comment="the event it asks about: never asked twice"),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False, comment="asked, answered, abandoned"),
        sa.PrimaryKeyConstraint("key"),
        schema="candor",
    )
    op.create_table(
        "model",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="challenger, champion, retired"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "backtest",
            sa.LargeBinary(),
            nullable=True,
            comment="first-routed mature leads of its backtest, Arrow IPC",
        ),
        sa.PrimaryKeyConstraint("version"),
        schema="candor",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="pending, sending, done, refused, superseded"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        schema="candor",
    )
    op.create_index(
        "outbox_open",
        "outbox",
        ["state", "seq"],
        unique=False,
        schema="candor",
        postgresql_where=sa.text("state in ('pending', 'sending')"),
    )
    op.create_table(
        "quarantine",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("stream", "id"),
        schema="candor",
    )
    op.create_table(
        "record",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column(
            "touched",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="something new is known: score it anew",
        ),
        sa.PrimaryKeyConstraint("kind", "id"),
        schema="candor",
        comment="each record as the CRM showed it last",
    )
    op.create_index("record_modified", "record", ["kind", "modified_at"], unique=False, schema="candor")
    op.create_table(
        "review",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        schema="candor",
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False, comment="running, done, failed, stopped"),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        schema="candor",
    )
    op.create_table(
        "score",
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("fit", sa.Double(), nullable=True),
        sa.Column("engagement", sa.Double(), nullable=True),
        sa.Column("expected_amount", sa.Double(), nullable=True),
        sa.Column("expected_value", sa.Double(), nullable=True),
        sa.Column("evidence", sa.Integer(), nullable=True),
        sa.Column("flags", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "inputs",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the features it was made from: it can be made again",
        ),
        sa.PrimaryKeyConstraint("lead_id", "at"),
        schema="candor",
    )
    op.create_table(
        "state",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        schema="candor",
        comment="small facts of the installation: pause, applied schema, API use of the day",
    )


def downgrade() -> None:
    op.drop_table("state", schema="candor")
    op.drop_table("score", schema="candor")
    op.drop_table("run", schema="candor")
    op.drop_table("review", schema="candor")
    op.drop_index("record_modified", table_name="record", schema="candor")
    op.drop_table("record", schema="candor")
    op.drop_table("quarantine", schema="candor")
    op.drop_index(
        "outbox_open",
        table_name="outbox",
        schema="candor",
        postgresql_where=sa.text("state in ('pending', 'sending')"),
    )
    op.drop_table("outbox", schema="candor")
    op.drop_table("model", schema="candor")
    op.drop_table("form", schema="candor")
    op.drop_table("feedback", schema="candor")
    op.drop_table("decision", schema="candor")
    op.drop_table("cursor", schema="candor")
    op.drop_table("change", schema="candor")
    op.drop_index("activity_person", table_name="activity", schema="candor")
    op.drop_index("activity_modified", table_name="activity", schema="candor")
    op.drop_table("activity", schema="candor")
