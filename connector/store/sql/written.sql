update candor.record set
    "values" = "values" || cast(:values as jsonb),
    modified_at = greatest(modified_at, coalesce(:modified_at, modified_at))
where kind = :kind and id = :id
