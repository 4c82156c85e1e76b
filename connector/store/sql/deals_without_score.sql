-- Deals that don't carry yet the score that their lead had when it became a deal.
with lead as (select id, "values" as v from candor.record where kind = 'lead' and not deleted),
deal as (
    select id, created_at, "values" as v from candor.record
    where kind = 'deal' and not deleted and "values" ->> 'candor_score_at_conversion' is null
),
named as (
    select d.id, d.created_at, p.person from deal d, jsonb_array_elements_text(
        case when jsonb_typeof(d.v -> 'lead_ids') = 'array' then d.v -> 'lead_ids' else '[]'::jsonb end) p(person)
),
pair as (
    select d.id as deal_id, d.created_at, l.id as lead_id from lead l join deal d on d.id = l.v ->> 'deal_id'
    union all
    select named.id, named.created_at, l.id from named join lead l on l.id = named.person
    union all
    select named.id, named.created_at, l.id from named join lead l on l.v ->> 'contact_id' = named.person
)
select distinct on (p.deal_id) p.deal_id, s.score, s.confidence
from pair p
join candor.score s on s.lead_id = p.lead_id and s.at <= p.created_at
where not exists (
    select 1 from candor.outbox o where o.kind = 'deal' and o.record_id = p.deal_id and o.state <> 'done'
      and o."values" ? 'candor_score_at_conversion')
order by p.deal_id, s.at desc
