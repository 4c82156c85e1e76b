"""leads are found by account, address and contact without reading all of them"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"

_LEAD = sa.text("kind = 'lead'")


def upgrade() -> None:
    for name, expression in (
        ("lead_account", "(\"values\" ->> 'account_id')"),
        ("lead_host", "(reverse(split_part(lower(\"values\" ->> 'email'), '@', -1)) collate \"C\")"),
        ("lead_contact", "(\"values\" ->> 'contact_id')"),
    ):
        op.create_index(name, "record", [sa.text(expression)], schema="candor", postgresql_where=_LEAD)


def downgrade() -> None:
    for name in ("lead_contact", "lead_host", "lead_account"):
        op.drop_index(name, table_name="record", schema="candor", postgresql_where=_LEAD)
