"""The page in a real browser: what it shows, what it asks for, and that everybody can use it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from board_world import CHAINS, HOSTILE_CHAIN, HOSTILE_COIN, polls
from playwright.sync_api import Browser, Page

from ccpay_io.board import build_board, page_path
from ccpay_io.board.server import board_app
from ccpay_io.feeds.poll import utc_now
from ccpay_io.query import json_value, run_query
from ccpay_io.sandbox.running import serve_in_thread
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse

WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
# Panels whose CSV file is the answer of their SQL, value for value.
PANELS = ("not-normal", "timeline", "feeds", "alerts", "availability", "routes", "movers", "spikes")

Open = Callable[..., Page]


@contextmanager
def visiting(browser: Browser, market: Settings) -> Iterator[Open]:
    """Opens the board from its file; whatever it asks for or complains of is an error."""
    troubles: list[str] = []
    contexts = []

    def visit(
        url: str | None = None,
        *,
        fragment: str = "",
        at: datetime | None = None,
        **options: object,
    ) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda told: troubles.append(f"console: {told.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        own = url or page_path(market.warehouse).as_uri()
        page.on("request", lambda asked: _note(asked.url, own, troubles))
        if at:
            page.clock.install(time=at)
        page.goto(own + fragment)
        ready(page)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def open_page(browser: Browser, market: Settings) -> Iterator[Open]:
    """Opens pages of the test's own."""
    with visiting(browser, market) as visit:
        yield visit


@pytest.fixture(scope="module")
def seen(browser: Browser, market: Settings) -> Iterator[Page]:
    """A page that tests only look at: 20 USDT, TRX, the hours of Kolkata, seven days."""
    with visiting(browser, market) as visit:
        page = visit(fragment="#coin=USDT&amount=20&zone=Asia/Kolkata&chain=TRX")
        page.click("#fees button:text-is('7 days')")
        yield page


def _note(url: str, own: str, troubles: list[str]) -> None:
    # What is inside the page, and what it hands out for saving, is no request to anybody.
    if not url.startswith((own, "data:", "blob:")):
        troubles.append(f"request: {url}")


def ready(page: Page) -> None:
    """Waits until everything is drawn."""
    page.wait_for_selector("html[data-ready]", timeout=60_000)


def changed(page: Page, change: Callable[[], object]) -> None:
    """Waits until the page has followed a change."""
    before = page.evaluate("document.documentElement.dataset.ready")
    change()
    page.wait_for_function(
        "before => document.documentElement.dataset.ready !== before", arg=before
    )


def enter(page: Page, field: str, text: str) -> None:
    """Types into a field of the form, as people do."""
    changed(page, lambda: (page.fill(field, text), page.press(field, "Tab")))


def answer(market: Settings, sql: str) -> list[dict[str, object]]:
    """What `ccpay query` says."""
    with run_query(market.warehouse, sql) as rows:
        columns = rows.columns
        return [dict(zip(columns, map(json_value, row), strict=True)) for row in rows]


def cells(page: Page, panel: str) -> list[list[str]]:
    """The texts of a panel's table."""
    rows = page.locator(f"#{panel} tbody tr").all()
    return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]


def saved(page: Page, panel: str) -> list[dict[str, str]]:
    """The rows of a panel's CSV file."""
    with page.expect_download() as download:
        page.click(f"#{panel} .tools button:text-is('CSV')")
    text = Path(download.value.path()).read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sql_of(page: Page, panel: str) -> str:
    """The statement that a panel shows."""
    page.click(f"#{panel} .tools button:text-is('SQL')")
    text = page.locator("#sql pre").inner_text()
    page.click("#sql button:text-is('Close')")
    return text


def as_text(value: object) -> str:
    """A value as it stands in a CSV file of the page."""
    if isinstance(value, list):
        return "; ".join(as_text(each) for each in value)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def test_counts_are_those_of_the_warehouse(seen: Page, market: Settings) -> None:
    """Maintenance of those that are listed; unknown and no longer listed are counted apart."""
    page = seen
    rows = answer(market, "SELECT status, count(*) AS n FROM chain_status_now GROUP BY status")
    count = {str(row["status"]): row["n"] for row in rows}
    text = page.locator("#tile-chains").inner_text()
    assert count == {"normal": 4, "maintenance": 1, "unknown": 1, "absent": 1}
    assert "1 of 6" in text
    assert "1 unknown, counted apart" in text
    assert "4 normal, 1 no longer listed" in text
    (polls,) = answer(
        market,
        "SELECT sum(planned)::INT AS n, sum(coverage_pct * planned / 100)::INT AS got"
        " FROM poll_coverage WHERE day = (now() AT TIME ZONE 'UTC')::DATE",
    )
    assert f"{polls['got']} of {polls['n']} expected" in page.locator("#tile-polls").inner_text()


def test_what_is_not_normal_comes_with_bounds_and_coins(seen: Page, market: Settings) -> None:
    """Since when, between which two polls, and which coins live there; the worst first."""
    page = seen
    rows = cells(page, "not-normal .body > div:first-child")
    (bounds,) = answer(market, "SELECT started_after AS a, started_by AS b FROM chain_status_now"
                               " WHERE chain = 'ETH'")  # fmt: skip
    after, by = (str(bounds[name])[11:16] for name in "ab")
    assert [row[0].split("\n")[0] for row in rows] == ["ETH watched", "TON watched", "KLAY"]
    assert after in rows[0][2]
    assert by in rows[0][2]
    assert "last known normal, unrecognised:Odd" in rows[1][1]
    (over,) = cells(page, "not-normal .lately")
    assert (over[0], over[2]) == ("BSC", "11 h")
    page.click("#not-normal summary >> nth=0")
    assert "USDT" in page.locator("#not-normal details >> nth=0").inner_text()


def test_routes_are_those_of_ccpay_route(open_page: Open, market: Settings) -> None:
    """Order, exact costs in the fiat, savings and reasons are what the macro says of an amount."""
    page = open_page()
    assert page.locator("#fiat").input_value() == "EUR"
    enter(page, "#amount", "1000.5")
    expected = answer(
        market,
        "SELECT r.*, store.exact_product(fee_usd::DECIMAL(38, 18), 0.8765) AS eur,"
        " store.exact_product(saves_vs_default_usd::DECIMAL(38, 18), 0.8765) AS saved"
        " FROM payout_route('USDT', 1000.5) AS r ORDER BY cost_rank NULLS LAST, chain",
    )
    rows = page.locator("#routes tbody tr")
    assert rows.count() == len(expected) == 5
    for at, route in enumerate(expected):
        row = rows.nth(at)
        assert row.locator("b").inner_text() == route["chain"]
        assert row.locator("th").inner_text() == str(route["cost_rank"] or "\u2013")
        assert row.locator("[title$=EUR]").first.get_attribute("title") == f"{route['eur']} EUR"
        cost = row.locator("[title$=EUR]").first.inner_text()
        assert cost == f"{Decimal(str(route['eur'])):,.2f}"
        if route["cost_rank"]:
            shown = row.locator("[title$=EUR]").nth(2).get_attribute("title")
            assert Decimal(str(shown).split()[0]) == Decimal(str(route["saved"] or 0))
    texts = page.locator("#routes tbody").inner_text()
    assert "above the largest withdrawal" in texts
    assert "no answer (unrecognised:Odd)" in texts
    assert "give the receiver's memo or tag" in texts


def test_a_wrong_question_gets_one_line(open_page: Open) -> None:
    """A coin that is not there, and an amount that is none, are said; the answer stays."""
    page = open_page()
    before = page.locator("#routes").inner_text()
    for field, text, complaint in (
        ("#coin", "NOPE", "There is no coin NOPE here."),
        ("#amount", "-5", "An amount is a plain number above nothing"),
    ):
        page.fill(field, text)
        page.press(field, "Tab")
        assert complaint in page.locator("#complaint").inner_text()
    assert page.locator("#routes").inner_text() == before


@pytest.mark.parametrize("panel", PANELS)
def test_sql_of_a_panel_gives_what_it_shows(seen: Page, market: Settings, panel: str) -> None:
    """The statement runs as it is, and the CSV file has its rows, all or those that are shown."""
    page = seen
    found = saved(page, panel)
    rows = [
        {name: as_text(value) for name, value in row.items()}
        for row in answer(market, sql_of(page, panel))
    ]
    assert found or panel == "alerts"
    assert [row for row in found if row not in rows] == []
    if panel not in ("not-normal", "timeline"):
        assert len(found) == len(rows)


@pytest.mark.parametrize("panel", ["fees", "hours"])
def test_sql_of_a_chart_gives_what_it_draws(seen: Page, market: Settings, panel: str) -> None:
    """Every point of a chart is in the answer of its statement, to five digits, and the reverse."""
    page = seen
    drawn = saved(page, panel)
    rows = answer(market, sql_of(page, panel))
    if panel == "fees":
        shown = {"BSC", "POLYGON", "TRX"}
        assert {row["chain"] for row in drawn} == shown
        hours = {(r["chain"], r["hour"]): r["fee_usd"] for r in rows if r["chain"] in shown}
        points = {
            (r["chain"], r["from"].replace("Z", "").replace(".000", "+00:00")): r["fee_usd"]
            for r in drawn
        }
        # The statement for hours; days before them have one of their own.
        points = {key: usd for key, usd in points.items() if key in hours}
    else:
        hours = {(str(r["iso_dow"]), str(r["local_hour"])): r["fee_usd_p50"] for r in rows}
        points = {(r["iso_dow"], r["local_hour"]): r["fee_usd_p50"] for r in drawn}
        assert [r["sample_count"] for r in drawn] == [str(r["sample_count"]) for r in rows]
    assert points.keys() == hours.keys()
    for key, usd in points.items():
        assert float(usd) == pytest.approx(float(str(hours[key])), rel=1e-5)


def test_what_is_not_known_breaks_the_line(seen: Page) -> None:
    """Six hours without an answer and four without a poll are gaps, not a line across."""
    path = seen.locator("#fees-chart .mark-line path").first.get_attribute("d") or ""
    assert path.count("M") == 3


def test_filters_draw_what_is_ticked(open_page: Open) -> None:
    """A chain that is ticked is drawn, one that is not is gone, and none is said."""
    page = open_page(fragment="#coin=USDT")
    lines = page.locator("#fees-chart .mark-line path")
    assert lines.count() == 3
    page.check("#fees label:has-text('ETH') input")
    page.wait_for_function(
        "() => document.querySelectorAll('#fees-chart .mark-line path').length === 4"
    )
    for chain in ("ETH", "BSC", "POLYGON", "TRX"):
        page.uncheck(f"#fees label:has-text('{chain}') input")
    assert "Select at least one chain." in page.locator("#fees-summary").inner_text()


def test_times_can_be_those_of_the_reader(open_page: Open) -> None:
    """UTC first; the switch moves every time on the page, and the axes say whose they are."""
    page = open_page(timezone_id="Asia/Kolkata")
    utc = page.locator("#as-of time").first
    before = datetime.fromisoformat(utc.inner_text()[:16])
    changed(page, lambda: page.click("#local-name"))
    after = utc.inner_text()
    shift = datetime.fromisoformat(after[:16]) - before
    assert shift == timedelta(hours=5, minutes=30)
    assert after.endswith(("Asia/Kolkata", "Asia/Calcutta"))
    axes = page.locator(".role-axis-title text").all_text_contents()
    assert sum("Asia/" in title for title in axes) == 3


def test_a_page_grows_old_by_itself(open_page: Open, market: Settings) -> None:
    """Nobody rebuilds it, and yet it says after hours that what it shows is not now any more."""
    built = datetime.fromisoformat(str(answer(market, "SELECT max(observed_at) AS t FROM"
                                              " chain_status_now")[0]["t"]))  # fmt: skip
    page = open_page(at=built + timedelta(seconds=30))
    assert page.locator("#banners .banner").count() == 0
    page.clock.fast_forward("00:30:00")
    assert "Stale chain statuses" in page.locator(".banner.late").inner_text()
    page.clock.fast_forward("03:00:00")
    texts = page.locator(".banner.dead").all_inner_texts()
    assert [text.split(":")[0] for text in texts] == ["Stale chain statuses", "Stale fees"]
    assert "3.5 h ago" in texts[0]
    assert "Not known" in page.locator("#tile-source").inner_text()
    assert "as of 20" in page.locator("#tile-alerts").inner_text()


def test_names_from_outside_are_text(open_page: Open) -> None:
    """A coin and a chain that are HTML are shown as they are called, and nothing of it runs."""
    page = open_page()
    enter(page, "#coin", HOSTILE_COIN)
    assert HOSTILE_COIN in page.locator("#routes h2").inner_text()
    assert HOSTILE_CHAIN in page.locator("#routes tbody").inner_text()
    assert HOSTILE_CHAIN in page.locator("#fees-controls").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("b[onclick]").count() == 0


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["screen", "phone"]
)
def test_axe_finds_nothing(open_page: Open, scheme: str, viewport: dict[str, int]) -> None:
    """No violation of WCAG A or AA, or of axe's own good practice; a phone scrolls one way only."""
    page = open_page(color_scheme=scheme, viewport=viewport)
    axe = Axe()
    for show in (lambda: None, lambda: page.click("#routes .tools button >> nth=0")):
        show()
        found = axe.run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_keyboard_is_enough(open_page: Open) -> None:
    """The first stop leads to the status; the clock, the SQL and the way out of it take keys."""
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the status"
    page.focus("input[value=utc]")
    changed(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.locator("input[value=local]").is_checked()
    page.focus("#routes .tools button >> nth=0")
    page.keyboard.press("Enter")
    assert page.locator("#sql").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#sql").is_visible()


def test_charts_can_be_read_aloud(seen: Page) -> None:
    """Each bar of the timeline says chain, status and time in words, in the order of the screen."""
    page = seen
    labels = [
        bar.get_attribute("aria-label") or ""
        for bar in page.locator("#timeline-chart [aria-roledescription=bar]").all()
    ]
    assert any(label.startswith("ETH: Maintenance, 20") for label in labels)
    assert {label.partition(":")[0] for label in labels} == {*CHAINS, "KLAY"}


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("#timeline-chart [aria-label^='BSC: Maintenance']", "BSC: Maintenance, 20"),
        ("#hours-chart [aria-label^='Mon 03:00']", "Mon 03:00 Asia/Kolkata: "),
        ("#fees-chart .mark-symbol path >> nth=20", " USD, "),
        ("#against-chart .mark-symbol path >> nth=20", "% of the first value"),
        ("#fees-chart [aria-label*='unusually high']", "peak 3.25"),
    ],
)
def test_a_pointer_is_told_what_it_is_on(seen: Page, mark: str, text: str) -> None:
    """Each kind of mark says in a line what it stands for."""
    seen.locator(mark).first.scroll_into_view_if_needed()
    seen.locator(mark).first.hover(force=True)
    seen.wait_for_function("() => document.getElementById('tooltip')?.hidden === false")
    assert text in seen.locator("#tooltip").inner_text()


def test_paper_is_white_and_has_no_buttons(open_page: Open) -> None:
    """Printed from a dark screen it is black on white, without what cannot be pressed."""
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.panel')).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert page.locator(".tools").first.is_hidden()
    assert len(page.pdf()) > 20_000


def test_before_the_first_publication_it_says_what_to_do(
    open_page: Open, market: Settings, tmp_path: Path, with_library: Callable[[Path], None]
) -> None:
    """No numbers are made up where there are none."""
    with_library(tmp_path)
    built = build_board(replace(market, warehouse=tmp_path, environment="sandbox"))
    page = open_page(built.page.as_uri())
    assert "Nothing has been published yet" in page.locator("#banners").inner_text()
    assert "Sandbox: made-up data" in page.locator("#environment").inner_text()
    assert page.locator(".tile .value").all_inner_texts() == ["\u2013"] * 4
    assert page.locator(".empty").count() == page.locator(".panel").count()


def test_what_is_partly_known_says_which_part(
    open_page: Open, market: Settings, tmp_path: Path, with_library: Callable[[Path], None]
) -> None:
    """A warehouse whose fees were never answered shows its chains, and names what is missing."""
    with_library(tmp_path)
    warehouse = Warehouse(tmp_path, market.stamp)
    now = utc_now().replace(microsecond=0) - timedelta(seconds=20)
    warehouse.commit([poll for poll in polls(now) if poll.feed == "chains"])
    warehouse.publish(force=True)
    page = open_page(build_board(replace(market, warehouse=tmp_path)).page.as_uri())
    assert page.locator("#banners").inner_text() == (
        "Partly known: there is no answer yet about fees, coin prices, fiat rates."
    )
    assert "1 of 6" in page.locator("#tile-chains").inner_text()
    assert "No fee has been polled yet." in page.locator("#routes").inner_text()


def test_what_was_chosen_survives_a_reload(open_page: Open) -> None:
    """The address keeps coin, amount, fiat and chain, so a link leads others to the same answer."""
    page = open_page()
    enter(page, "#coin", "usdc")
    enter(page, "#amount", "25")
    changed(page, lambda: page.select_option("#fiat", "USD"))
    page.reload()
    ready(page)
    assert page.locator("#coin").input_value() == "USDC"
    assert page.locator("#amount").input_value() == "25"
    assert page.locator("#fiat").input_value() == "USD"
    assert "refused with code 13004" in page.locator("#routes").inner_text()


def test_a_served_page_becomes_the_newer_one(browser: Browser, market: Settings) -> None:
    """What `ccpay up` serves looks for a newer page and shows it, with what was chosen."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    with serve_in_thread(board_app(market.warehouse), 0) as port:
        page.clock.install()
        page.goto(f"http://127.0.0.1:{port}/#coin=USDC")
        ready(page)
        first = page.locator("footer").inner_text()
        page.clock.fast_forward("00:01:00")
        assert page.locator("footer").inner_text() == first
        time.sleep(1.1)
        build_board(market)
        page.evaluate("window.isTheOldOne = true")
        page.clock.fast_forward("00:01:00")
        page.wait_for_function("() => !window.isTheOldOne")
        ready(page)
        assert page.locator("#coin").input_value() == "USDC"
    context.close()
