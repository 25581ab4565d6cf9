"""The board's server, as a program of `ccpay up`.

Owns that there is a page before anybody is told where it is. Later pages are the asset's, which is
built after each publication. Started by up.py.
"""

import sys

from ccpay_io.board import build_board, is_behind
from ccpay_io.board.server import board_app
from ccpay_io.settings import load_settings
from ccpay_io.store.reading import newest
from pipelines.command.listening import listen


def main(port: int) -> int:
    """Serves until it is ended."""
    settings = load_settings()
    if is_behind(settings, newest(settings.place)):
        build_board(settings)
    listen(board_app(settings.warehouse), port=port)
    return 0


if __name__ == "__main__":
    from pipelines.command.main import guarded

    sys.exit(guarded(lambda: main(int(sys.argv[1]))))
