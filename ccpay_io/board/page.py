"""The page: template, style, scripts and data in one file that can load nothing from anywhere.

Owns the content security policy, which names each script and the style by its hash, and the order
of what is in the file. Does not know where data comes from. Called by building.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from ccpay_io.board.packing import packed

_FOLDER = Path(__file__).parent / "page"
# One scope, in the order in which they need each other.
_SCRIPTS = (
    "decimal.js",
    "clock.js",
    "dom.js",
    "data.js",
    "panel.js",
    "charts.js",
    "operations.js",
    "timeline.js",
    "availability.js",
    "merchant.js",
    "hours.js",
    "analyst.js",
    "main.js",
)
_SLOT = re.compile(r"\{\{(\w+)\}\}")


def render(facts: Mapping[str, object], blocks: Mapping[str, bytes], library: str) -> str:
    """The whole file.

    Args:
        facts: what is shown at once, as JSON takes it.
        blocks: binary series by name, unpacked when they are needed.
        library: the chart library.
    """
    style = (_FOLDER / "board.css").read_text("utf-8")
    script = _script()
    data = {"facts": json.dumps(facts, separators=(",", ":")).encode(), **blocks}
    data["library"] = library.encode()
    slots = {
        "policy": _policy([script, library], style),
        "style": style,
        "script": script,
        "data": "\n".join(
            f'<script type="application/octet-stream" id="data-{name}">{packed(block)}</script>'
            for name, block in data.items()
        ),
    }
    template = (_FOLDER / "board.html").read_text("utf-8")
    return _SLOT.sub(lambda slot: slots[slot[1]], template)


def _script() -> str:
    parts = [(_FOLDER / name).read_text("utf-8") for name in _SCRIPTS]
    return "\n".join(['"use strict";', "(() => {", *parts, "})();", ""])


def _policy(scripts: list[str], style: str) -> str:
    """Nothing is allowed but these very scripts and this style.

    'self' lets a page that `ccpay up` serves ask that server whether there is a newer one; for a
    page that was opened from a file it means nothing at all.
    """
    allowed = " ".join(map(_hash, scripts))
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {allowed}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
