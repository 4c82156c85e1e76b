-- When each lead was worked: a person of ours called or met it, or somebody took it out of the status it came in.
select a.person_id as lead_id, a.at from candor.activity a
where a.actor = 'person' and a.person_id is not null and not a.deleted and a.kind in ('call', 'meeting')
union all
select c.id, c.at from candor.change c
where c.kind = 'lead' and c.field = 'status' and c.old is not null and c.old <> c.new and c.new #>> '{}' = any(:taken_up)
order by 1, 2
