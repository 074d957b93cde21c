"""Room 4: what the auditor holds.

Belongs here: reading the rpt_ tables of the published warehouse into plain data, the report formats (one folder
each under formats/, found by name) and writing a bundle whole. Does not belong here: judging anything. A figure
that is not in an rpt_ table is not in a report.
"""
