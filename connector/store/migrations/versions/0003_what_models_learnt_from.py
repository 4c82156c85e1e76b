"""what models learnt from"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "model",
        sa.Column(
            "examples",
            sa.LargeBinary(),
            nullable=True,
            comment="which leads at which times it learnt from, Arrow IPC; with the manifest it is made again",
        ),
        schema="candor",
    )


def downgrade() -> None:
    op.drop_column("model", "examples", schema="candor")
