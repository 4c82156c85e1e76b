-- The addresses that the leads named have or had.
select lower("values" ->> 'email') from candor.record
where kind = 'lead' and not deleted and id = any(:ids) and "values" ->> 'email' is not null
union
select lower(v #>> '{}') from candor.change c, unnest(array[c.old, c.new]) v
where c.kind = 'lead' and c.id = any(:ids) and c.field = 'email' and v #>> '{}' is not null
