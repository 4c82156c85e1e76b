-- The value each field of a lead had from a time on. Of a field whose history the CRM keeps, the value at creation is the
-- old value of its first change, or today's where it never changed; of other fields only what we saw is known.
with lead as (
    select id, created_at, "values" as v from candor.record
    where kind = 'lead' and not deleted and (cast(:ids as text[]) is null or id = any(:ids))
),
hist as (
    select c.id, c.field, c.at, c.seq, c.old #>> '{}' as old, c.new #>> '{}' as value
    from candor.change c join lead using (id)
    where c.kind = 'lead' and c.field = any(:fields) and (cast(:ids as text[]) is null or c.id = any(:ids))
),
first as (
    select distinct on (id, field) id, field, at, old from hist order by id, field, at, seq
)
select id as lead_id, field, at, value from hist
union all
select l.id, f.field, l.created_at, case when first.id is null then l.v ->> f.field else first.old end
from lead l
cross join unnest(cast(:tracked as text[])) f(field)
left join first on first.id = l.id and first.field = f.field
where (case when first.id is null then l.v ->> f.field is not null else first.at > l.created_at end)
