"""One module per vendor: the story, in that vendor's words. Nothing here judges."""
