"""Bundles: what a member keeps for mobility (feeds, places, streets, rule books), and signs.

`model` is the signed manifest, `files` the bytes by their digests, `records` what the node has
adopted of its own and of others, `checking` reads a file before it is kept, `archive` is how a
bundle crosses the border, `keeping` puts these together, `eras` says which days feeds are for, and
`inputs` makes studies of it all: `kept_study_inputs(records.kept_entries(snapshot), home, day)`.
"""
