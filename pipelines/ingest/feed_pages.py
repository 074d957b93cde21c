"""A page per feed for people, from its description: how to get the export, what is read of it, what its words mean.

    python -m pipelines.ingest.feed_pages

writes docs/feeds/ anew. The hand-written lines of a page are `obtain` in the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.ingest.descriptions import Column, FeedDescription, load_descriptions, written_path
from pipelines.settings import PROJECT

PAGES = PROJECT / "docs" / "feeds"

_KINDS = {
    "log": "log: events, each with its instant",
    "snapshot": "snapshot: what was there when it was collected",
    "ticket": "tickets: the latest state of each, with its history where the export has it",
    "decision": "decision: the newest file is in force",
    "decision_log": "decisions made one by one, each with its instant",
}
_WRITTEN_BY_PEOPLE = ("decisions", "generic")


def pages() -> dict[Path, str]:
    """Every page by its place below docs/feeds/, the index among them."""
    feeds = list(load_descriptions().values())
    found = {Path(feed.system, f"{feed.feed}.md"): page(feed) for feed in feeds}
    return {Path("README.md"): _index(feeds)} | found


def page(feed: FeedDescription) -> str:
    """The page of one feed, as Markdown."""
    return "\n".join([*_head(feed), *_obtaining(feed), *_columns(feed), *_actions(feed)]) + "\n"


def write(folder: Path = PAGES) -> int:
    """Write all pages and remove those of feeds that are gone; returns how many there are."""
    made = pages()
    for place, text in made.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    for old in folder.rglob("*.md"):
        if old.relative_to(folder) not in made:
            old.unlink()
    return len(made)


def _index(feeds: Iterable[FeedDescription]) -> str:
    lines = [
        "# Feeds",
        "",
        "One page per feed, made from its description by `python -m pipelines.ingest.feed_pages`. Drop exports under",
        "`<home>/landing/<system>/<feed>/[<instance>/]`, plain, `.gz` or `.zst`.",
        "",
        "| feed | kind | lets controls see |",
        "|---|---|---|",
    ]
    lines += [
        f"| [{feed.name}]({feed.system}/{feed.feed}.md) | {feed.kind.replace('_', ' ')} | {_listed(feed.provides)} |"
        for feed in feeds
    ]
    return "\n".join(lines) + "\n"


def _head(feed: FeedDescription) -> Iterator[str]:
    yield f"# {feed.name}"
    yield ""
    yield feed.description
    yield ""
    yield f"- Lands in `landing/{feed.name}/[<instance>/]`, as {_shapes(feed)}."
    yield f"- Is a {_KINDS[feed.kind]}."
    if feed.native_id:
        yield f"- One record is told from another by {_code(feed.native_id)}."
    if feed.absence_scope:
        yield f"- What a complete export no longer lists was gone by then, within: {feed.absence_scope}."
    if feed.provides:
        yield f"- Lets controls see: {_listed(feed.provides)}."
    if feed.masked:
        yield "- Only the fields below are read. Where records are printed, every other value is masked."


def _shapes(feed: FeedDescription) -> str:
    names = {"json": "JSON (lines, arrays, pages)", "csv": "CSV with a heading row"}
    wrapped = f" with the records under {_code(feed.wrappers)}" if feed.wrappers else ""
    return " or ".join(names[shape] + (wrapped if shape == "json" else "") for shape in feed.shapes)


def _obtaining(feed: FeedDescription) -> Iterator[str]:
    how = feed.obtain
    if how is None:
        return
    yield from ("", "## How to get it", "")
    yield f"- Export: {_sentence(how.command)}"
    yield f"- Permission: {_sentence(how.permission)}"
    yield f"- The source keeps it: {_sentence(how.retention)}"
    if how.traps:
        yield from ("", "Traps:", "")
        yield from (f"- {_sentence(trap)}" for trap in how.traps)


def _columns(feed: FeedDescription) -> Iterator[str]:
    yield from ("", "## What is read", "", "| field | in the export | meaning |", "|---|---|---|")
    for column in feed.columns:
        needed = " Required." if column.required else ""
        yield f"| `{column.name}` | {_places(column)} | {_cell(column.description)}{needed} |"


def _places(column: Column) -> str:
    if column.is_whole_record:
        return "the whole record"
    places = dict.fromkeys([*map(written_path, column.paths), *column.headings])
    return "<br>".join(f"`{place}`" for place in places)


def _actions(feed: FeedDescription) -> Iterator[str]:
    actions = feed.actions
    if actions is None:
        return
    yield from ("", f"## What its words mean (`{actions.field}`)", "")
    if actions.use == "all":
        yield "Every record with an actor shows use."
    elif actions.use:
        yield f"Use and nothing else: {_code(actions.use)}."
    if actions.means:
        yield from ([] if not actions.use else [""])
        yield from ("| the vendor's word | ours |", "|---|---|")
        yield from (f"| `{_cell(word)}` | {_listed(ours)} |" for word, ours in actions.means.items())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(word.replace("_", " ") for word in words)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    said = " ".join(text.split())
    return said if said.endswith((".", "`")) else f"{said}."


def is_written_by_people(feed: FeedDescription) -> bool:
    """Whether no vendor's tool writes it: then there is no export to get."""
    return feed.system in _WRITTEN_BY_PEOPLE


if __name__ == "__main__":
    print(f"{write()} pages in {PAGES}")
