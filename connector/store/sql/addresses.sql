-- The addresses of the leads named.
select distinct lower("values" ->> 'email') from candor.record
where kind = 'lead' and not deleted and id = any(:ids) and "values" ->> 'email' is not null
