"""The board's server, as a program of `ccpay up`.

Owns that there is a page before anybody is told where it is. Later pages are the asset's, which is
built after each publication. Started by up.py.
"""

import sys

import uvicorn

from ccpay_io.board import build_board, is_behind
from ccpay_io.board.server import board_app
from ccpay_io.settings import load_settings


def main(port: int) -> int:
    """Serves until it is ended."""
    settings = load_settings()
    if is_behind(settings):
        build_board(settings)
    uvicorn.run(
        board_app(settings.warehouse),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    from pipelines.command.main import guarded

    sys.exit(guarded(lambda: main(int(sys.argv[1]))))
