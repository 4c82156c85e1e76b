-- audited_activities
-- Activities under their lead with when the CRM last took them in.
with person as (
    select id as person_id, id as lead_id from candor.record where kind = 'lead' and not deleted
    union
    select "values" ->> 'contact_id', id from candor.record
    where kind = 'lead' and not deleted and "values" ->> 'contact_id' is not null
)
select a.id as activity_id, p.lead_id, a.at, a.kind, a.detail ->> 'owner_id' as owner_id, a.modified_at as recorded_at
from candor.activity a join person p using (person_id)
where not a.deleted and (cast(:ids as text[]) is null or p.lead_id = any(:ids))
