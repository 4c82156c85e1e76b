-- Leads that may have been at another company at some time after :since than they are at today.
select distinct c.id from candor.change c join candor.record r on r.kind = 'lead' and r.id = c.id and not r.deleted
where c.kind = 'lead' and c.field in ('email', 'account_id') and c.at > :since
