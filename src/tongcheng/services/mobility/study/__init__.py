"""A study: feeds, places and what is assumed of both, put together so that it can be asked.

`model` says what goes in, `preparing` compiles it, `methods` says how an answer was made. `matrix`
asks all places at once, `reach` one spot and every place; `circle` counts the people of an answer,
`compare` those of two, `access` what all places reach, `hinterland` how far a port is. `region` has
a pack's own facts for it, and `asking` either those or a user's study.
"""
