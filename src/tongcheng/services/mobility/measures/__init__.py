"""What planners compute from travel times: pure, from blocks of rows, and the same anywhere.

A *block* is some origins' rows of a table of travel times: origins × destinations, whole seconds in
uint16, UNREACHED where there is no journey. A measure takes block after block, so that memory is
bounded for any number of cells; how the rows are cut into blocks changes not a bit of the result:
sums are of whole numbers, or are added in the order of a row, which is never cut.

`decay` says what a minute costs, `reach` sums what is reached, `catchment` shares supply among
those who reach it, `areas` counts people by area, before and after, `monotone` looks for journeys
that a new service made longer, `inequality` says how unequally access is spread.
"""
