-- The life of each lead (of all, or of `ids`): when it began, and what became of it when. A deal belongs to a lead that became it (Salesforce) or
-- that is associated with it (HubSpot), as the lead itself or as the contact it became.
with lead as (
    select id, created_at, modified_at, "values" as v from candor.record
    where kind = 'lead' and not deleted and (cast(:ids as text[]) is null or id = any(cast(:ids as text[])))
),
deal as (
    select d.id, d.created_at, d."values" as v, coalesce(
        (select max(c.at) from candor.change c
         where c.kind = 'deal' and c.id = d.id and c.field = 'stage' and c.new = d."values" -> 'stage'),
        cast(d."values" ->> 'close_at' as timestamptz), d.modified_at) as ended_at
    from candor.record d where d.kind = 'deal' and not d.deleted
),
named as (
    select d.id, p.person from deal d, jsonb_array_elements_text(
        case when jsonb_typeof(d.v -> 'lead_ids') = 'array' then d.v -> 'lead_ids' else '[]'::jsonb end) p(person)
),
of_lead as (
    select l.id as lead_id, d.* from lead l join deal d on d.id = l.v ->> 'deal_id'
    union
    select l.id, d.* from named join lead l on l.id = named.person join deal d on d.id = named.id
    union
    select l.id, d.* from named join lead l on l.v ->> 'contact_id' = named.person join deal d on d.id = named.id
),
won as (
    select distinct on (lead_id) lead_id, ended_at, cast(v ->> 'amount' as double precision) as amount, id
    from of_lead where cast(v ->> 'is_won' as boolean) order by lead_id, ended_at
),
lost as (
    select lead_id, max(ended_at) as ended_at from of_lead
    where cast(v ->> 'is_closed' as boolean) and not cast(v ->> 'is_won' as boolean) group by lead_id
),
running as (
    select lead_id, max(id) as id, max(cast(v ->> 'amount' as double precision)) as amount from of_lead
    where not coalesce(cast(v ->> 'is_closed' as boolean), false) group by lead_id
),
status as (
    select id as lead_id, max(at) as at from candor.change where kind = 'lead' and field = 'status' group by id
)
select l.id, l.created_at, l.v ->> 'status' as status, coalesce(s.at, l.modified_at) as status_at,
       cast(l.v ->> 'converted_at' as timestamptz) as converted_at, w.ended_at as won_at, w.amount as won_amount,
       lost.ended_at as lost_at, r.id as running_deal, r.amount as running_amount, w.id as won_deal
from lead l
left join won w on w.lead_id = l.id
left join lost on lost.lead_id = l.id
left join running r on r.lead_id = l.id
left join status s on s.lead_id = l.id
order by l.id
