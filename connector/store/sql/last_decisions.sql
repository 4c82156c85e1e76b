-- The last decision on each lead, and whether a seller was at work on it since then and lately.
with last as (
    select distinct on (lead_id) lead_id, at, route, qualified, explored, rule from candor.decision order by lead_id, at desc
)
select l.lead_id, l.route, l.qualified, l.explored, l.rule, exists (
    select 1 from candor.activity a
    where a.person_id = l.lead_id and a.actor = 'person' and a.at >= :since
      and a.kind in ('call', 'meeting', 'email_sent', 'email_replied')
) as worked
from last l
