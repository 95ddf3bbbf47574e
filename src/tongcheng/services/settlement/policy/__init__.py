"""A rule book as a person reads a policy: prose and tables, doubts marked, disputes in yuan."""
