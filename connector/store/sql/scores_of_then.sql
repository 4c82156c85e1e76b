-- The scores of leads at these times, one each.
select s.lead_id, s.at, s.score, s.model, s.recalibration, s.inputs
from unnest(cast(:ids as text[]), cast(:times as timestamptz[])) as asked(lead_id, at)
join candor.score s using (lead_id, at)
