-- Deals that don't carry yet the score that their lead had when it became a deal.
with lead as (select id, "values" as v from candor.record where kind = 'lead' and not deleted),
pair as (
    select d.id as deal_id, d.created_at, l.id as lead_id
    from candor.record d
    join lead l on l.v ->> 'deal_id' = d.id
        or (jsonb_typeof(d."values" -> 'lead_ids') = 'array'
            and (d."values" -> 'lead_ids' ? l.id or d."values" -> 'lead_ids' ? (l.v ->> 'contact_id')))
    where d.kind = 'deal' and not d.deleted and d."values" ->> 'candor_score_at_conversion' is null
)
select distinct on (p.deal_id) p.deal_id, s.score, s.confidence
from pair p
join candor.score s on s.lead_id = p.lead_id and s.at <= p.created_at
where not exists (
    select 1 from candor.outbox o where o.kind = 'deal' and o.record_id = p.deal_id and o.state <> 'done'
      and o."values" ? 'candor_score_at_conversion')
order by p.deal_id, s.at desc
