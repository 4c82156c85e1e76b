-- Leads that exploration drew: when first, and with what chance.
select distinct on (lead_id) lead_id, at, propensity from candor.decision where explored order by lead_id, at
