"""Which characters the PDF's fonts can print. The fonts come with Typst, so every machine prints the same page."""

from __future__ import annotations

import re
from typing import Any

from pipelines.reports.visible_text import visible

# Libertinus Serif and, behind it, DejaVu Sans Mono: Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, punctuation,
# currencies, arrows, operators, shapes. A test prints every one of them.
_PRINTED = (
    "\x20-\x7e\xa0-\xac\xae-\u01c3\u01cd-\u01e3\u01e6-\u01f0\u01fc-\u0221\u0224-\u0233\u0250-\u02af\u0300-\u030f"
    "\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f\u0490-\u049b\u0531-\u0556\u0561-\u0587"
    "\u05d0-\u05ea\u05f3\u05f4\u0621-\u063a\u0640-\u0652\u0660-\u066c\u1e80-\u1e85\u1ef2\u1ef3\u2010-\u2015\u2018-\u201e"
    "\u2020-\u2022\u2026\u2030\u2032\u2033\u2039\u203a\u20ac\u2116\u2122\u2190-\u2195\u2200\u2202\u2203\u2206\u220f"
    "\u2211\u2212\u221a\u221e\u222b\u2248\u2260\u2264\u2265\u25a0\u25a1\u25b2\u25b6\u25bc\u25c0\u25c6\u25cb\u25cf"
)
_UNPRINTED = re.compile(f"[^{_PRINTED}]")
_TOO_LONG = re.compile(r"[^\s\u00a0]{25,}")
_SEPARATOR = re.compile(r"[/_\-:.@#=&?,;|+~]+")
_WHOLE_RUN = re.compile("[^\u200b]{25,}")


def printed(text: str) -> str:
    """`text` as it can be printed; what the fonts lack is written out as its code point, `\\u4e2d`."""
    return _in_the_fonts(visible(text))


def printed_svg(svg: str) -> str:
    """A picture whose texts can be printed. Its own line ends and tabs stay."""
    return "\n".join(_in_the_fonts(line) for line in svg.replace("\t", " ").split("\n"))


def _in_the_fonts(text: str) -> str:
    return _UNPRINTED.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if ord(match[0]) < 0x10000 else f"\\U{ord(match[0]):08x}",
        text,
    )


def breakable(text: str) -> str:
    """`text` in which an id of any length can be broken: by places without width after its separators, or anywhere."""
    return _TOO_LONG.sub(
        lambda match: _WHOLE_RUN.sub(_chopped, _SEPARATOR.sub("\\g<0>\u200b", match[0])), text
    )


def _chopped(run: re.Match[str]) -> str:
    return "\u200b".join(run[0][at : at + 8] for at in range(0, len(run[0]), 8))


def printed_data(value: Any) -> Any:
    """The same data with every text printable and breakable; keys are ours and stay."""
    if isinstance(value, str):
        return breakable(printed(value))
    if isinstance(value, dict):
        return {key: printed_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [printed_data(inner) for inner in value]
    return value
