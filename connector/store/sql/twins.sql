-- twins
-- Activities that are there already of these people at these moments.
select id, person_id, kind, at, detail from candor.activity
where person_id = any(:people) and at = any(:times) and not deleted
