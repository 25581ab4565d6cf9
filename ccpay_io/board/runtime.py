"""The chart library that the page carries: Vega, Vega-Lite and Vega-Embed as one script.

Owns where it comes from, the vl-convert wheel, and its copy on disk: vl-convert needs five seconds
to put its modules together, and the result only changes with its version. Called by building.py.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from ccpay_io.store.durable import written_whole

# The one of its three names that is there in vl-convert 1.9: `vega` and `vegaLite` are null.
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def chart_library(folder: Path) -> str:
    """The script; it puts `vegaEmbed` on the window and does nothing else.

    Args:
        folder: where the copy is kept.
    """
    copy = folder / f".vega-{version('vl-convert-python')}.js"
    if not copy.exists():
        for older in folder.glob(".vega-*.js"):
            older.unlink()
        with written_whole(copy) as file:
            file.write_text(_bundle(), "utf-8")
    return copy.read_text("utf-8")


def _bundle() -> str:
    # Imported here: it takes a while, and is needed once in the life of a warehouse.
    import vl_convert

    return str(vl_convert.javascript_bundle(_SNIPPET))
