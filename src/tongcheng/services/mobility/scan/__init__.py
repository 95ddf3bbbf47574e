"""The kernels: how long from everywhere to everywhere, over a whole window of departures at once.

`model` says what is asked and answered, `network` makes a timetable ready (or its mirror image, in
which arriving is departing), `kernel` scans, `tables` reduces, `run` hands blocks out. `journeys`
answers one traveller. Needs the extra `analysis`.
"""
