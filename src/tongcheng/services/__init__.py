"""The services: one package per noun of the field, the same file names in each."""
