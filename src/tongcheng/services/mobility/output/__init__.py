"""Result files that a neighbour can make again, byte for byte: each carries how it was made.

`method` says what a file is, `files` writes Parquet, GeoParquet, GeoJSON and CSV whole or not at
all, `matrix` writes travel times between places, `features` writes isochrones.
"""
