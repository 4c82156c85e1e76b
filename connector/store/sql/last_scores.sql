select distinct on (lead_id) lead_id, score from candor.score order by lead_id, at desc
