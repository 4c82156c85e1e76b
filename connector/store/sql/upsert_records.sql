insert into candor.record (kind, id, created_at, modified_at, "values", deleted, merged_into, touched)
select kind, id, created_at, modified_at, "values", deleted, merged_into, touched from new_record
on conflict (kind, id) do update set
    created_at = excluded.created_at,
    modified_at = excluded.modified_at,
    "values" = excluded."values",
    deleted = excluded.deleted,
    merged_into = excluded.merged_into,
    touched = candor.record.touched or excluded.touched
