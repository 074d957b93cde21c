"""Room 3: is the evidence whole? Judges the tables of a build and says so; never reads evidence, never decides a control.

The only door to great_expectations. It is imported late: it costs seconds, and most commands don't need it.
"""
