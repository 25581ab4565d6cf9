"""The page for analysts is what the views say."""

from __future__ import annotations

from pathlib import Path

from ccpay_io.store.dictionary import render_dictionary


def test_the_committed_page_is_up_to_date() -> None:
    """Change a view's header, and the page has to be written anew."""
    page = Path(__file__).parents[3] / "docs" / "data-dictionary.md"

    assert page.read_text("utf-8") == render_dictionary(), (
        "run: python -m ccpay_io.store.dictionary > docs/data-dictionary.md"
    )
