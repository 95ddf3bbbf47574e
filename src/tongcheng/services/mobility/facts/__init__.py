"""Fact tables that somebody wrote by hand: a region's lines, roads, towns, each figure with origin.

They make a first picture where no feed is at hand. A *figure* says what, by which source, of which
year, and how sure it is; what is not known is left blank, and what would need it is left out and
listed. `folder` reads a region's tables, `rail` compiles those of one day into a feed, which `gtfs`
writes; `roads` compiles trunk roads into a graph.
"""
