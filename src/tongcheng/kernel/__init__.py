"""What every service stands on: it knows no service and no web.

Read in this order: `errors`, `canonical`, `keys`, `merkle`, and then whatever the task at hand
needs. Time and randomness enter only through the ports in `clock` and `entropy`, so that a whole
region can be replayed from a seed.
"""
