"""The data of a bundle as CSV files."""
