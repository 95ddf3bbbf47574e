"""The exchange: acts that take effect once, asks that are answered now.

Each pair of members has one channel either way. A sender numbers its acts in the order of its
commits; a receiver takes only the next number. Every batch acknowledges, under its signature, the
highest number taken from the other side; what is not acknowledged is sent again, by the same
bytes, for ever. An act that was taken before is answered with the reply that was stored then. So
a lost request, a lost reply, a killed process and a week of outage are all the same case, and it
is the ordinary one.

`tables` is what is stored; `acts` sends and takes inside a transaction; `outgoing` reads what to
send; `link` is the loop that does it; `asks` is the other lane.
"""
