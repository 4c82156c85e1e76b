-- closings
-- Who last changed the status of each lead, or the stage of its deal, where the CRM tells.
select distinct on (c.kind, c.id) c.kind, c.id, c.at, c.by
from candor.change c
where (c.kind = 'lead' and c.field = 'status') or (c.kind = 'deal' and c.field = 'stage')
order by c.kind, c.id, c.at desc, c.seq desc
