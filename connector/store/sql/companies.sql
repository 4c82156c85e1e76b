-- The leads named, and all others of the same account or the same e-mail domain (the features know which domains are
-- nobody's own).
with asked as (
    select "values" ->> 'account_id' as account, split_part(lower("values" ->> 'email'), '@', 2) as domain
    from candor.record where kind = 'lead' and id = any(:ids)
)
select id from candor.record r
where kind = 'lead' and not deleted and (
    id = any(:ids)
    or "values" ->> 'account_id' in (select account from asked where account is not null)
    or split_part(lower("values" ->> 'email'), '@', 2) in (
        select domain from asked where domain <> '' and not domain = any(:free))
)
