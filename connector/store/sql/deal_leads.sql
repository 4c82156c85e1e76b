-- Which lead a deal came from: the one that became it, or the first that is associated with it.
with lead as (select id, "values" as v from candor.record where kind = 'lead' and not deleted),
deal as (select id, "values" as v from candor.record where kind = 'deal' and not deleted),
named as (
    select d.id, p.person from deal d, jsonb_array_elements_text(
        case when jsonb_typeof(d.v -> 'lead_ids') = 'array' then d.v -> 'lead_ids' else '[]'::jsonb end) p(person)
),
pair as (
    select d.id as deal_id, l.id as lead_id from lead l join deal d on d.id = l.v ->> 'deal_id'
    union all
    select named.id, l.id from named join lead l on l.id = named.person
    union all
    select named.id, l.id from named join lead l on l.v ->> 'contact_id' = named.person
)
select deal_id, min(lead_id) as lead_id from pair group by deal_id
