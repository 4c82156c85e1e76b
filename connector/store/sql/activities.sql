-- Activities under the lead they belong to, whether they hang on the lead or on the contact it became.
with person as (
    select id as person_id, id as lead_id from candor.record
    where kind = 'lead' and not deleted and (cast(:ids as text[]) is null or id = any(:ids))
    union
    select "values" ->> 'contact_id', id from candor.record
    where kind = 'lead' and not deleted and "values" ->> 'contact_id' is not null
      and (cast(:ids as text[]) is null or id = any(:ids))
)
select a.id as activity_id, p.lead_id, a.at, a.kind, a.actor,
       a.detail ->> 'session' as session, a.detail ->> 'url' as url, a.detail ->> 'area' as area,
       a.detail ->> 'content' as content, a.detail ->> 'channel' as channel, a.detail ->> 'subject' as subject,
       cast(a.detail ->> 'answered' as boolean) as answered, cast(a.detail ->> 'minutes' as double precision) as minutes,
       case when jsonb_typeof(a.detail -> 'cc') = 'array' then jsonb_array_length(a.detail -> 'cc') end as cc_count,
       a.detail ->> 'owner_id' as owner_id
from candor.activity a join person p using (person_id)
where not a.deleted
