"""The workpaper of an auditor as a spreadsheet."""
