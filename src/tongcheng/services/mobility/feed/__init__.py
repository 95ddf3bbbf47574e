"""A timetable feed: read from GTFS, checked, made sound where that is safe, and reported on."""
