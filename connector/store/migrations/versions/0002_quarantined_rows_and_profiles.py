"""quarantined rows are kept whole; each pull's profile"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "quarantine",
        sa.Column("row", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        schema="candor",
    )
    op.add_column(
        "quarantine", sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True), schema="candor"
    )
    op.create_table(
        "profile",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("odd", sa.BigInteger(), nullable=False),
        sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("stream", "at"),
        schema="candor",
        comment="what each pull brought: blank shares, new values, odd rows by reason",
    )


def downgrade() -> None:
    op.drop_table("profile", schema="candor")
    op.drop_column("quarantine", "ready_at", schema="candor")
    op.drop_column("quarantine", "row", schema="candor")
