"""ROOM 2: an evidence file becomes typed rows. Readers go by file shape, feeds are descriptions.

Not here: what a row means (dbt staging), whether the evidence is whole (completeness), how originals are kept (evidence).
"""
