"""Many regions, one after the other: as many settlements as a nation has in some weeks.

`plans` says what a seed stands for, `worker` is the process that runs one, `crew` keeps several of
them at work, `results` is the file in which every finished seed is a line, `totals` adds them up
and `table` says it (docs/simulation.md).
"""
