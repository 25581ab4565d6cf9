"""`ccpay route`: the cheapest chain to pay a coin out on, now, and why others are excluded."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import click
from rich.console import Console

from ccpay_io.query import plain_decimal
from ccpay_io.route import Route, rank_routes
from ccpay_io.settings import Settings, load_settings
from pipelines.command.output import age, name_environment, print_table, stdout

REASONS = {
    "blocked:chain_absent": "the chain is no longer listed",
    "blocked:can_withdraw_false": "withdrawals are closed",
    "below_minimum": "below the smallest withdrawal",
    "above_maximum": "above the largest withdrawal",
    "stale": "the fee is too old",
    "no_price": "the fee coin has no price",
    "stale_price": "the fee coin's price is too old",
    "too_large": "the fee is too large to value",
}


class Amount(click.ParamType):
    """A positive plain decimal."""

    name = "amount"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The exact amount."""
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or not 0 < amount < 10**20:
            self.fail(f"{value!r} is not an amount such as 500 or 0.25", param, ctx)
        return amount


@click.command("route")
@click.argument("coin")
@click.argument("amount", type=Amount(), required=False)
@click.option("--fiat", default=None, help="Currency of the costs; the default is [board] fiat.")
def command(coin: str, amount: Decimal | None, fiat: str | None) -> int:
    """Ranks the chains to pay COIN out on, the cheapest first.

    COIN is a symbol or an id. With an AMOUNT, in units of the coin, chains that cannot take it are
    excluded. Exits with 1 when no chain can be used now.
    """
    settings = load_settings()
    name_environment(settings)
    currency = (fiat or settings.board.fiat).upper()
    routes = rank_routes(settings.place, coin, amount, currency)
    print_routes(stdout(), routes, currency)
    return 0 if any(route.rank for route in routes) else 1


def example_routes(settings: Settings) -> tuple[list[Route], str]:
    """What `ccpay up` shows as its first answer: routes of USDT, or of a watched coin."""
    currency = settings.board.fiat.upper()
    coin = (*settings.watch.coins, "USDT")[0]
    return rank_routes(settings.place, coin, Decimal(500), currency), currency


def print_routes(console: Console, routes: Sequence[Route], currency: str) -> None:
    """One line per chain: rank, chain, cost, state, age; the excluded ones last."""
    rows = [_row(route, currency) for route in routes]
    print_table(console, ["", "chain", "cost", "state", "data", ""], rows, right=["cost"])


def _row(route: Route, currency: str) -> list[str]:
    memo = "give the receiver's memo or tag" if route.needs_memo else ""
    cost = "" if route.cost is None else f"{_money(route.cost)} {currency}"
    if route.rank is None:
        return ["-", route.chain, cost, f"excluded: {_why(route)}", age(route.data_age_s), memo]
    state = route.chain_status or "unknown"
    return [str(route.rank), route.chain, cost, state, age(route.data_age_s), memo]


def _why(route: Route) -> str:
    reason = route.excluded or route.state
    if reason == "blocked:maintenance":
        return f"maintenance {_since(route.started_after, route.started_by)}"
    if reason.startswith("unknown:"):
        return f"no answer ({reason.removeprefix('unknown:')})"
    refused = reason.removeprefix("blocked:")
    return f"refused with code {refused}" if refused.isdecimal() else REASONS.get(reason, reason)


def _since(after: datetime | None, by: datetime | None) -> str:
    if by is None:
        return "since before monitoring began"
    if after is None:
        return f"since {by:%Y-%m-%d %H:%M} UTC or earlier"
    day = "" if after.date() == by.date() == datetime.now(UTC).date() else f"{after:%Y-%m-%d} "
    until = f"{by:%H:%M}" if after.date() == by.date() else f"{by:%Y-%m-%d %H:%M}"
    return f"since {day}{after:%H:%M}-{until} UTC"


def _money(cost: Decimal) -> str:
    """Cents for what is worth cents; all digits that matter for what is worth less."""
    if cost >= Decimal("0.01") or cost == 0:
        return f"{cost:.2f}"
    return plain_decimal(round(cost, 3 - cost.adjusted()))
