"""Mobility 一小时通勤圈: who reaches what within an hour, door to door, and what would change it.

Read in this order, as the data goes: `feed` (GTFS as it came, made sound), `timetable` (one day of
feeds as sorted connections), `streets` and `places` (who lives where, and how far a stop is on
foot), `scan` (the kernels), `measures` (what planners compute), `scenario` (what would change it).
"""
