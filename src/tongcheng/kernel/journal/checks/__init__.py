"""What `journal verify` looks at, one module a subject; `kernel/journal/verify.py` runs them.

`rows` trusts nothing: the file, the schema, the code of every row. The others rebuild what can be
rebuilt from rows that passed, and are left out, by name, when a row they rest on did not.
"""
