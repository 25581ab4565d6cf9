"""The board beside its own parts: seconds of a build, size, first paint, one switch of the coin.

Owns the comparison: a page with only the chart library, painted in turns with the board in the same
browser, and one redraw of the same charts with the same data, in turns with the switch that leads
to it. Called by `make bench`, or alone: `python -m bench.board [FOLDER]`, where FOLDER is a sandbox
warehouse of an earlier `ccpay demo`; without one, 30 days are made first.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from playwright.sync_api import Browser, Page, sync_playwright

from ccpay_io.board import build_board
from ccpay_io.board.runtime import chart_library
from ccpay_io.demo import run_demo
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings, load_settings

DAYS, BUILDS, TURNS = 30, 3, 9
COINS = ("USDC", "USDT")
# Limits of the project: seconds, bytes, times.
BUILD_S, SIZE, TIMES = 5.0, 5_000_000, 1.5
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Keeps what the page draws with, so that the same can be drawn again without the page.
_KEEP_VIEWS = """
    let embed;
    window.kept = {};
    Object.defineProperty(window, 'vegaEmbed', {
        set(real) { embed = real; },
        get() { return async (place, ...rest) => {
            const made = await embed(place, ...rest);
            window.kept[place.id] = made.view;
            return made;
        }; },
    });
"""
# Until the coin's charts are drawn and the page says so, in milliseconds.
_SWITCH = """
    async (coin) => {
        const root = document.documentElement, before = root.dataset.ready;
        const field = document.getElementById('coin');
        const began = performance.now();
        field.value = coin;
        field.dispatchEvent(new Event('change'));
        while (root.dataset.ready === before) await new Promise(done => setTimeout(done));
        return performance.now() - began;
    }
"""
_DATA = {"hours-chart": ["cells"], "fees-chart": ["rows", "marks"], "against-chart": ["rows"]}
_TAKE = """
    (data) => {
        window.taken = Object.entries(data).flatMap(([id, names]) => names.map(name =>
            [id, name, window.kept[id].data(name).map(row => ({...row}))]));
    }
"""
_REDRAW = """
    async () => {
        const began = performance.now();
        for (const [id, name, rows] of window.taken) window.kept[id].data(name, rows);
        const views = new Set(window.taken.map(([id]) => window.kept[id]));
        await Promise.all([...views].map(view => view.runAsync()));
        return performance.now() - began;
    }
"""


@dataclass
class Figures:
    """What was measured; milliseconds unless the name says otherwise."""

    build_s: list[float] = field(default_factory=list)
    size: int = 0
    paint: list[float] = field(default_factory=list)
    library_paint: list[float] = field(default_factory=list)
    switch: list[float] = field(default_factory=list)
    redraw: list[float] = field(default_factory=list)


def measure(settings: Settings, folder: Path, browser: Browser | None) -> Figures:
    """Builds the board and, where there is a browser, opens it.

    Args:
        settings: of a warehouse with a publication.
        folder: for the page with only the chart library.
        browser: None where the machine has none.
    """
    figures = Figures()
    # The first build puts the chart library together, which only a new version does again.
    builds = [build_board(settings) for _ in range(BUILDS + 1)]
    figures.build_s = [built.took_s for built in builds[1:]]
    figures.size = builds[-1].size
    if browser:
        library = folder / "library.html"
        script = chart_library(builds[-1].page.parent)
        library.write_text(
            f"<!doctype html><title>library</title><h1>library</h1><script>{script}</script>",
            "utf-8",
        )
        for _ in range(TURNS):
            figures.library_paint.append(_first_paint(browser, library, "body"))
            figures.paint.append(_first_paint(browser, builds[-1].page, "html[data-ready]"))
        _switch(browser, builds[-1].page, figures)
    return figures


def _first_paint(browser: Browser, path: Path, until: str) -> float:
    with _opened(browser, path, until) as page:
        query = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait_for_function(f"() => {query} > 0")
        return float(page.evaluate(query))


def _switch(browser: Browser, path: Path, figures: Figures) -> None:
    """A switch to the second coin; then, on the charts of the first, the same data once more."""
    with _opened(browser, path, "html[data-ready]", _KEEP_VIEWS) as page:
        for _ in range(TURNS):
            page.evaluate(_SWITCH, COINS[0])
            figures.switch.append(float(page.evaluate(_SWITCH, COINS[1])))
            page.evaluate(_TAKE, _DATA)
            page.evaluate(_SWITCH, COINS[0])
            figures.redraw.append(float(page.evaluate(_REDRAW)))


@contextmanager
def _opened(browser: Browser, path: Path, until: str, before: str = "") -> Iterator[Page]:
    """A page in a browser that remembers nothing."""
    with browser.new_context(viewport={"width": 1440, "height": 1000}) as context:
        page = context.new_page()
        if before:
            page.add_init_script(before)
        page.goto(path.as_uri())
        page.wait_for_selector(until, state="attached", timeout=60_000)
        yield page


def lines_of(figures: Figures) -> list[str]:
    """Each target with what was measured."""
    build = statistics.median(figures.build_s)
    lines = [
        _line(build <= BUILD_S, f"a build in at most {BUILD_S:g} s: {build:.2f}"),
        _line(
            figures.size <= SIZE, f"a file of at most {SIZE / 1e6:g} MB: {figures.size / 1e6:.2f}"
        ),
    ]
    if not figures.paint:
        return [*lines, "  not measured  first paint and switch: there is no Chromium"]
    pairs = (
        ("first paint", figures.paint, "the chart library alone", figures.library_paint),
        ("switch of the coin", figures.switch, "one redraw of its charts", figures.redraw),
    )
    for what, own, other, base in pairs:
        ours, theirs = statistics.median(own), statistics.median(base)
        text = f"{what} at most {TIMES:g} times {other}: {ours / theirs:.2f}"
        lines.append(_line(ours <= TIMES * theirs, f"{text} ({ours:.0f} and {theirs:.0f} ms)"))
    return lines


def _line(met: bool, text: str) -> str:
    return f"  {'met' if met else 'NOT MET':<14}{text}"


@contextmanager
def _browser() -> Iterator[Browser | None]:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        yield None
        return
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )


def _demo(settings: Settings, progress: Callable[[str], None]) -> None:
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    progress(f"{DAYS} days for the board; this takes some minutes")
    run_demo(settings, open_warehouse(settings), since=until - timedelta(days=DAYS), until=until)


def main(given: str | None = None) -> None:
    """Measures and prints."""
    with TemporaryDirectory(prefix="ccpay-bench-") as name, _browser() as browser:
        folder = Path(name)
        settings = load_settings({"CCPAY_WAREHOUSE": given or str(folder)}, cwd=folder)
        if given is None:
            _demo(settings, click.echo)
        figures = measure(settings, folder, browser)
        click.echo("\n".join([f"the board, {DAYS} days of 1,798 pairs", *lines_of(figures)]))


if __name__ == "__main__":
    main(*sys.argv[1:2])
