-- Activities under the lead they belong to, whether they hang on the lead or on the contact it became.
-- `cc`: the others who were copied, as connector/jobs/addresses.py hides them.
with lead as (
    select r.id, r."values" ->> 'contact_id' as contact_id,
           left(encode(sha256(convert_to((s.value #>> '{}') || m.address, 'UTF8')), 'hex'), 16) || '@' || split_part(m.address, '@', -1) as self
    from candor.record r
    cross join lateral (select lower(r."values" ->> 'email') as address) m
    left join candor.state s on s.key = 'address_salt'
    where r.kind = 'lead' and not r.deleted and (cast(:ids as text[]) is null or r.id = any(:ids))
),
person as (
    select id as person_id, id as lead_id, self from lead
    union
    select contact_id, id, self from lead where contact_id is not null
)
select a.id as activity_id, p.lead_id, a.at, a.kind, a.actor,
       a.detail ->> 'session' as session, a.detail ->> 'url' as url, a.detail ->> 'area' as area,
       a.detail ->> 'content' as content, a.detail ->> 'channel' as channel, a.detail ->> 'subject' as subject,
       cast(a.detail ->> 'answered' as boolean) as answered, cast(a.detail ->> 'minutes' as double precision) as minutes,
       case when jsonb_typeof(a.detail -> 'cc') = 'array' then (
           select string_agg(c.who, ' ') from jsonb_array_elements_text(a.detail -> 'cc') c(who) where c.who is distinct from p.self
       ) end as cc,
       a.detail ->> 'owner_id' as owner_id
from candor.activity a join person p using (person_id)
where not a.deleted
