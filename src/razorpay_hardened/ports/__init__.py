"""Ports: what the journeys need from the outside, as protocols whose docstrings say the semantics.

In: the domain's values. Out: the same. Nothing here runs; ``storage`` and ``client`` implement, ``wiring`` joins.

- ``store``    the rows: transactions with a claim, anchors that serialise, effects as rows
- ``gateway``  Razorpay's API, as far as checkout and reconciliation call it
"""
