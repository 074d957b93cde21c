"""Every feed has a page for people, and it says what the description says."""

from __future__ import annotations

import pytest

from pipelines.ingest import feed_pages
from pipelines.ingest.descriptions import load_descriptions


def test_the_pages_are_those_that_the_descriptions_make():
    there = {
        path.relative_to(feed_pages.PAGES): path.read_text(encoding="utf-8")
        for path in feed_pages.PAGES.rglob("*.md")
    }
    assert there == feed_pages.pages(), "run: python -m pipelines.ingest.feed_pages"


@pytest.mark.parametrize("feed", load_descriptions().values(), ids=lambda feed: feed.name)
def test_a_feed_that_a_vendor_writes_says_how_to_get_it(feed):
    if feed_pages.is_written_by_people(feed):
        assert feed.obtain is None
        return
    assert feed.obtain is not None, f"{feed.file}: say under `obtain` how to get the export"
    assert all(said.strip() for said in (feed.obtain.command, feed.obtain.permission, feed.obtain.retention))
    assert feed.obtain.traps, f"{feed.file}: say what goes wrong with this export"
