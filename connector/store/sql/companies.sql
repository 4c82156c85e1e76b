-- The leads named, and all others of the same account or the same e-mail domain (the features know which domains are
-- nobody's own). A former domain of a company is its present one.
with former(domain, today) as (select * from unnest(cast(:former as text[]), cast(:today as text[]))),
lead as (
    select r.id, r."values" ->> 'account_id' as account, coalesce(f.today, d.domain) as domain
    from candor.record r
    cross join lateral (select split_part(lower(r."values" ->> 'email'), '@', 2) as domain) d
    left join former f on f.domain = d.domain
    where r.kind = 'lead' and not r.deleted
),
asked as (select account, domain from lead where id = any(:ids))
select id from lead
where id = any(:ids)
   or account in (select account from asked where account is not null)
   or domain in (select domain from asked where domain <> '' and not domain = any(:free))
