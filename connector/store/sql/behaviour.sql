-- What happened lately with the leads that were scored: overrides, meetings, our first touch after routing, replies.
with first as (
    select distinct on (lead_id) lead_id, at, score from candor.score order by lead_id, at
),
acts as (
    select a.person_id as lead_id,
           (array_agg(a.id order by a.at) filter (where a.kind = 'meeting' and a.at >= f.at))[1] as meeting_id,
           min(a.at) filter (where a.kind = 'meeting' and a.at >= f.at) as meeting_at,
           min(a.at) filter (where a.kind in ('call', 'email_sent') and a.at >= f.at) as first_touch_at,
           max(a.at) filter (where a.kind in ('email_replied', 'meeting', 'form')
                             or (a.kind = 'call' and a.detail ->> 'answered' = 'true')) as last_reply_at
    from candor.activity a join first f on f.lead_id = a.person_id
    where a.at >= :since and a.actor = 'person' and not a.deleted
    group by a.person_id
),
over as (
    select lead_id, max(at) as at from candor.feedback where kind = 'override' and at >= :since group by lead_id
)
select f.lead_id, f.score, over.at as overridden_at, acts.meeting_id, acts.meeting_at, acts.first_touch_at, acts.last_reply_at
from first f
left join acts on acts.lead_id = f.lead_id
left join over on over.lead_id = f.lead_id
where over.at is not null or acts.lead_id is not null
order by f.lead_id
