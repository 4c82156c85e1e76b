-- An account that conversion made says how the lead ended: it is not told.
select id, created_at, case when "values" ->> 'converted_at' is null then "values" ->> 'account_id' end, "values" ->> 'email'
from candor.record where kind = 'lead' and not deleted and (cast(:ids as text[]) is null or id = any(:ids))
order by id
