-- An account that conversion made says how the lead ended: it is not told. An address at a company's former domain is
-- told at its present one: a rebranded company is one company.
with former(domain, today) as (select * from unnest(cast(:former as text[]), cast(:today as text[])))
select r.id, r.created_at, case when r."values" ->> 'converted_at' is null then r."values" ->> 'account_id' end,
       case when f.today is null then r."values" ->> 'email' else split_part(r."values" ->> 'email', '@', 1) || '@' || f.today end
from candor.record r
left join former f on f.domain = split_part(lower(r."values" ->> 'email'), '@', 2)
where r.kind = 'lead' and not r.deleted and (cast(:ids as text[]) is null or r.id = any(:ids))
order by r.id
