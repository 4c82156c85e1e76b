"""The model: a probability, how sure it is, why, and what is unusual about a lead.

`scoring.model.train.train` makes a `Model` from as-of rows and their outcomes, `Model.score` says `Scores` of
new rows, `scoring.model.store` keeps it in one file whose hash is checked, `scoring.model.baseline` is what
it is measured against. Nothing is imported here: scikit-learn takes a second.
"""
