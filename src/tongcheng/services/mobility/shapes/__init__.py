"""Shapes on the map: in whole millionths of a degree, so that they are the same everywhere.

`geometry` says what they are and writes them, `lattice` unites the cells of a regular grid,
`polygons` unites polygons that are given, and hexagons that are assumed.
"""
