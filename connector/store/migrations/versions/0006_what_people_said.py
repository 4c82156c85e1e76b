"""what people said that models weighed, and who said it"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "model",
        sa.Column(
            "said", sa.LargeBinary(), nullable=True, comment="what people said that it weighed, Arrow IPC"
        ),
        schema="candor",
    )
    op.add_column(
        "feedback",
        sa.Column("by", sa.Text(), nullable=True, comment="whose record it is, who is taken to have said it"),
        schema="candor",
    )


def downgrade() -> None:
    op.drop_column("feedback", "by", schema="candor")
    op.drop_column("model", "said", schema="candor")
