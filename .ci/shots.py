"""Takes the pictures of the board in docs/, as of its publication: what is made up soon grows old.

Called by .ci/shots with the browser and the page.
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDE, PHONE = {"width": 1440, "height": 1010}, {"width": 390, "height": 844}
# Name of the picture, size, colours, and what is at its top; None for the page as it opens.
PICTURES = (
    ("board", WIDE, "light", None),
    ("board-costs", WIDE, "light", "#merchant"),
    ("board-history", WIDE, "light", "#analyst"),
    ("board-dark", WIDE, "dark", None),
    ("board-phone", PHONE, "light", None),
)


def main(browser: str, page_file: str) -> None:
    """Writes each picture."""
    path = Path(page_file)
    status = json.loads(path.with_name("status.json").read_text("utf-8"))
    published = datetime.fromisoformat(status["published_at"])
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, size, scheme, place in PICTURES:
            page = running.new_page(viewport=size, color_scheme=scheme)
            page.clock.set_fixed_time(published + timedelta(seconds=5))
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", timeout=60_000)
            if place:
                page.locator(place).evaluate("place => place.scrollIntoView()")
            page.screenshot(path=f"docs/{name}.png")
            print(f"docs/{name}.png")
        running.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
