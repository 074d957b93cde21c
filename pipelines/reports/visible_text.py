"""Text from evidence, made safe to look at. What a reader cannot see must not change what a reader sees."""

from __future__ import annotations

import re

# Controls, separators, what has no width or no ink, and every mark that reorders text: with them "admin" can be
# shown as something else. Joiners (U+200C, U+200D) stay: Persian and Indic names and emoji are spelled with them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def visible(text: str) -> str:
    """`text` with every control and reordering character written out, as `\\n`, `\\x1b` or `\\u202e`."""
    return _UNSEEN.sub(_escape, text)
