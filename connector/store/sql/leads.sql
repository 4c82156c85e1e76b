-- Each lead with the address it came in with: the old value of the first change we know of, where it changed since. An
-- address at a company's former domain is told at its present one: a rebranded company is one company.
with former(domain, today) as (select * from unnest(cast(:former as text[]), cast(:today as text[]))),
moved(id, email) as (select * from unnest(cast(:moved as text[]), cast(:was as text[]))),
lead as (
    select r.id, r.created_at, case when m.id is null then r."values" ->> 'email' else m.email end as email
    from candor.record r left join moved m using (id)
    where r.kind = 'lead' and not r.deleted and (cast(:ids as text[]) is null or r.id = any(:ids))
)
select l.id, l.created_at,
       case when f.today is null then l.email else split_part(l.email, '@', 1) || '@' || f.today end
from lead l
left join former f on f.domain = split_part(lower(l.email), '@', 2)
order by l.id
