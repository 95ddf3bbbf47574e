"""Many claims at once: the same rules as the cashier's, over files of any size.

`columns` says what stands in a file of claims and in one of results, `arrays` how both look in
memory, `layout` lays compiled rule books out as integers, `kernel` computes and `twin` is what it
must equal. Needs the extra `analysis`; without numba the twin computes, and says so.
"""
