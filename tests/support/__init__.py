"""What the proofs share: a store that tells where it is, a shop that leaves traces, and properties as checkers.

In: seeds and folders. Out: lists of violations, empty where the property holds. Nothing here is known to ``src``.
"""
