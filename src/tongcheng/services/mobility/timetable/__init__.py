"""One day of feeds as the scans walk it: connections in order, and the ways between stops."""
