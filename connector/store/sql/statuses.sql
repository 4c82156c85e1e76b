-- All statuses that leads have or had.
select distinct c.new #>> '{}' as status from candor.change c where c.kind = 'lead' and c.field = 'status' and c.new is not null
union
select distinct "values" ->> 'status' from candor.record where kind = 'lead' and "values" ->> 'status' is not null
