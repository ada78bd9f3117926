"""Measurements beside their floors and peers, in one run: `python -m benchmarks [name …]`.

In: the package, and beside each piece the least that could do the same (the floor) and what exists (the peer).
Out: a table with median, min and max per call, and the ratio to the floor or peer. Absolute figures do not travel to
another machine; ratios taken in one run do. Nothing here is a test: no figure makes a build fail.

Each module with a `main()` is one benchmark; `_measure` is what they share.
"""
