"""The board: one HTML file that shows status and fees at a glance, and status.json beside it.

A build reads one published copy in one transaction (answers.py, with the questions in
warehouse/board), packs what it read (packing.py) and writes one page that needs no server and no
network (page.py). Called by the asset, by `ccpay board` and by `ccpay up`, which also serves it.
"""

from __future__ import annotations

from ccpay_io.board.building import Built, build_board, is_behind, page_path

__all__ = ["Built", "build_board", "is_behind", "page_path"]
