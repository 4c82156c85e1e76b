"""of people copied on e-mails the store keeps no address"""

from alembic import op

revision = "0007"
down_revision = "0006"

_SALT = """
insert into candor.state (key, value)
values ('address_salt', to_jsonb(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')))
on conflict (key) do nothing
"""
_HIDE = """
update candor.{table} set {column} = jsonb_set({column}, '{path}', coalesce((
    select jsonb_agg(left(encode(sha256(convert_to((s.value #>> '{{}}') || lower(a.said), 'UTF8')), 'hex'), 16) || '@'
                     || split_part(lower(a.said), '@', -1))
    from candor.state s, jsonb_array_elements_text({column} #> '{path}') a(said)
    where s.key = 'address_salt' and position('@' in a.said) > 0
), '[]'::jsonb))
where jsonb_typeof({column} #> '{path}') = 'array'
"""


def upgrade() -> None:
    op.execute(_SALT)
    for table, column, path in (("activity", "detail", "{cc}"), ("quarantine", '"row"', "{detail,cc}")):
        op.execute(_HIDE.format(table=table, column=column, path=path))


def downgrade() -> None:
    """What was hidden stays so."""
    op.execute("delete from candor.state where key = 'address_salt'")
