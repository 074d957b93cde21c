"""Upheld: an evidence warehouse for SOC 2 Type 2 identity controls."""

__version__ = "0.1.0"
