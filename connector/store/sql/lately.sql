-- What leads were scored lately, and the last score of each before that.
with named as (select unnest(cast(:ids as text[])) as lead_id)
select s.lead_id, s.at, s.score from named join candor.score s using (lead_id) where s.at >= :since
union all
select n.lead_id, s.at, s.score
from named n cross join lateral (
    select at, score from candor.score where lead_id = n.lead_id and at < :since order by at desc limit 1
) s
