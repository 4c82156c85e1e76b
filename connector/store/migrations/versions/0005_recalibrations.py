"""what recent outcomes say of a model, and which scores were moved by it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "recalibration",
        sa.Column("version", sa.Text(), primary_key=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "start",
            JSONB(),
            nullable=False,
            comment="what it began with when the model came: every later one begins there again",
        ),
        sa.Column("state", JSONB(), nullable=False),
        schema="candor",
        comment="what recent outcomes say of a model: its scores are moved by it",
    )
    op.create_index("recalibration_model", "recalibration", ["model", "at"], schema="candor")
    op.add_column(
        "score",
        sa.Column("recalibration", sa.Text(), comment="which one moved it; blank: the model alone"),
        schema="candor",
    )


def downgrade() -> None:
    op.drop_column("score", "recalibration", schema="candor")
    op.drop_table("recalibration", schema="candor")
