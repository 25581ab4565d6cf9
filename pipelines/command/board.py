"""`ccpay board`: builds the page with status and fees, and says where it is."""

import webbrowser

import click

from ccpay_io.settings import load_settings
from pipelines.command.output import name_environment, stderr


@click.command("board")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
def command(open_it: bool) -> None:
    """Builds the board from the newest publication and prints its path.

    One file that needs no server. `ccpay up` serves it too, and keeps it up to date.
    """
    from ccpay_io.board import build_board

    settings = load_settings()
    name_environment(settings)
    built = build_board(settings)
    if built.published_at is None:
        stderr().print("nothing has been published yet, and the page says so; run `ccpay poll all`")
    click.echo(built.page)
    if open_it:
        webbrowser.open(built.page.as_uri())
