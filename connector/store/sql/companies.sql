-- The leads named, and all others of an account that one of them has or had, or at their companies' hosts: acme.com, and
-- whatever ends in .acme.com.
-- Hosts are compared backwards, so that a domain is where its hosts begin. Each step is a look-up in an index (lead_account,
-- lead_host).
with asked as (
    select "values" ->> 'account_id' as account from candor.record where kind = 'lead' and not deleted and id = any(:ids)
    union
    select v #>> '{}' from candor.change c, unnest(array[c.old, c.new]) v
    where c.kind = 'lead' and c.id = any(:ids) and c.field = 'account_id'
)
select id from candor.record where kind = 'lead' and not deleted and id = any(:ids)
union
select id from candor.record where kind = 'lead' and not deleted
  and "values" ->> 'account_id' = any(array(select account from asked where account is not null))
union
select r.id from unnest(cast(:domains as text[])) d(domain)
join candor.record r on r.kind = 'lead' and not r.deleted
  and reverse(split_part(lower(r."values" ->> 'email'), '@', -1)) collate "C" = reverse(d.domain)
union
select r.id from unnest(cast(:domains as text[])) d(domain)
join candor.record r on r.kind = 'lead' and not r.deleted
  and reverse(split_part(lower(r."values" ->> 'email'), '@', -1)) collate "C" > reverse(d.domain) || '.'
  and reverse(split_part(lower(r."values" ->> 'email'), '@', -1)) collate "C" < reverse(d.domain) || '/'
