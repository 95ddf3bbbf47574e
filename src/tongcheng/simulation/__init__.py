"""The whole region in one process, under faults that a seed decides (docs/simulation.md).

The production code runs unmodified: nodes, exchange, writer, store, the hospitals' use cases. What
a seed decides comes in through the ports: `loop` is time, `network` is what carries bytes, `disk`
is the file and what a crash leaves of it, `faults` is how much goes wrong. `machine` is one
member's computer, `hospitals` are the people at the desks, `region` runs them, `checks` looks at
what is left and `report` says it.
"""
