"""The report as a PDF file, typeset by Typst."""
