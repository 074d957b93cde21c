"""Pictures that several formats print: SVG, the same bytes everywhere. No format of its own."""
