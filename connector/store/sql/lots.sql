-- The leads that took part in the holdout's lot: when, whether they were held out, and with what chance of what they got.
select distinct on (lead_id) lead_id, at, rule, propensity from candor.decision
where propensity is not null and not explored order by lead_id, at
