"""One folder per report format. Each has a `render.py` with

- `WRITES_DATA`: True when its files are the data that the data digest covers, False when it renders pages from them;
- `render(report, folder)`: writes its files below `folder`, the same bytes for the same report.

Rendering libraries are imported inside the format that needs them and nowhere else.
"""
