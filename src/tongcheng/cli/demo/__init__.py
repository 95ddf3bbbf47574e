"""The demonstration: a region laid out on this machine, and hospital systems that use it."""
