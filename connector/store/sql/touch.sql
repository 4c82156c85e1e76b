update candor.record set touched = true
where kind = 'lead' and not touched
  and (id = any(:ids) or "values" ->> 'contact_id' = any(:ids))
