update candor.record set "values" = "values" - cast(
    array(select k from jsonb_object_keys("values") as k where starts_with(k, :own) and k <> all(:people)) as text[])
where exists (select from jsonb_object_keys("values") as k where starts_with(k, :own) and k <> all(:people))
