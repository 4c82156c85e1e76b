-- The value each field of a lead had from a time on. Of a field whose history the CRM keeps, the value before its first
-- change is that change's old value, or today's where it never changed, from the lead's creation on but not from before the
-- history began; of other fields only what we saw is known.
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
select l.id, f.field, greatest(l.created_at, f.since), case when first.id is null then l.v ->> f.field else first.old end
from lead l
cross join unnest(cast(:tracked as text[]), cast(:since as timestamptz[])) f(field, since)
left join first on first.id = l.id and first.field = f.field
where case when first.id is null then l.v ->> f.field is not null else first.at > greatest(l.created_at, f.since) end
