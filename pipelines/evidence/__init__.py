"""Room 1: what landed is kept unchanged, hashed, written down in an append-only ledger, and found again.

Plain Python: no duckdb, no dbt, no orchestration. What a record means is not known here.
"""
