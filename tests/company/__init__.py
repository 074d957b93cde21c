"""Larkfield: one small made-up company in true vendor formats. It is the demo and the test bed.

`story.py` says what happened and why each member of the cast is there; `plan.py` says when it was collected;
`exports/` writes it down as each vendor would; `oracle.py` works out, in plain Python and from the story alone,
what every control must conclude. `python -m tests.company.build` makes `landing/`, `bad_landing/` and
`expected_operations.csv` anew, byte for byte.
"""
