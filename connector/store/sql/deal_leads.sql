-- Which lead a deal came from: the one that became it, or the first that is associated with it.
with lead as (select id, "values" as v from candor.record where kind = 'lead' and not deleted)
select d.id as deal_id, min(l.id) as lead_id
from candor.record d
join lead l on l.v ->> 'deal_id' = d.id
    or (jsonb_typeof(d."values" -> 'lead_ids') = 'array'
        and (d."values" -> 'lead_ids' ? l.id or d."values" -> 'lead_ids' ? (l.v ->> 'contact_id')))
where d.kind = 'deal' and not d.deleted
group by d.id
