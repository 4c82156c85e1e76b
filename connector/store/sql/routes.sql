select "values" ->> 'candor_route' as route, count(*) as n from candor.record
where kind = 'lead' and not deleted and "values" ->> 'candor_route' is not null
group by 1 order by 1
