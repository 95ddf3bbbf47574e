"""Scenarios: small differences to a base day, written as documents, and what they make of it.

`reading` takes the YAML form, `applying` makes of a base the base with the changes, `base` compiles
one from fact tables. docs/mobility-scenarios.md is the form.
"""
