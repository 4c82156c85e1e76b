-- Changes of address since a lead came in, in order. The row that our first reading of a lead left is none: it tells what
-- the address was when we first looked, and nothing of when it came.
with lead as (
    select id, created_at from candor.record
    where kind = 'lead' and not deleted and (cast(:ids as text[]) is null or id = any(:ids))
)
select c.id as lead_id, c.at, c.old #>> '{}' as old, c.new #>> '{}' as value
from candor.change c join lead l using (id)
where c.kind = 'lead' and c.field = 'email' and c.at > l.created_at
  and (cast(:ids as text[]) is null or c.id = any(:ids))
  and (c.old is not null or c.source <> 'seen' or exists (
      select from candor.change e
      where e.kind = 'lead' and e.id = c.id and e.source = 'seen' and e.at < c.at and not starts_with(e.field, 'candor_')))
order by c.id, c.at, c.seq
