update candor.outbox set state = 'sending', attempts = attempts + 1
where seq in (
    select seq from candor.outbox where state = 'pending' and kind = :kind order by seq limit :limit for update skip locked
)
returning seq, kind, record_id, "values", why, attempts
