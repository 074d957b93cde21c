"""The report of a period as one self-contained HTML page."""
