-- Every domain that an account had or has beside its present one, told by its history, seen by us, or listed on it; and
-- none that is another account's present one.
with account as (
    select id, lower("values" ->> 'domain') as today, "values" ->> 'other_domains' as others
    from candor.record where kind = 'account' and not deleted and "values" ->> 'domain' is not null
),
had as (
    select a.today, lower(c.old #>> '{}') as other from candor.change c join account a using (id)
    where c.kind = 'account' and c.field = 'domain' and c.old #>> '{}' is not null
    union
    select a.today, lower(trim(o)) from account a, regexp_split_to_table(a.others, '[;,[:space:]]+') o
)
select today, other from had where other <> '' and other not in (select today from account)
