"""The datasets of the warehouse: what identifies an entity, what is compared, what is only kept.

Owns the column lists that feeds fill and the store compares. The tables themselves are in
warehouse/migrations; a test holds the two together. Called by feeds (to build frames) and by
observations.py (to write them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

AMOUNT = pl.Decimal(38, 18)

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Dataset:
    """One kind of thing that is observed over time.

    Attributes:
        name: prefix of its tables in schema `store`.
        keys: columns that identify an entity.
        values: columns that are compared; a difference in one of them, or in `state`, is a change.
        extras: columns kept in the current table only: the latest is enough (names, logos,
            networkFeeInquiryID, which may be new in every answer).
    """

    name: str
    keys: Columns
    values: Columns
    extras: Columns

    @property
    def schema(self) -> dict[str, Any]:
        """Columns of an answers frame: keys, `state`, values, extras, with polars types."""
        return {**self.keys, "state": pl.String, **self.values, **self.extras}

    def frame(self, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
        """Builds a typed answers frame from rows; a missing column is null.

        Raises:
            ValueError: an amount does not fit DECIMAL(38, 18), which polars alone would turn into
                null without a word.
        """
        frame = pl.DataFrame(rows, schema=self.schema, orient="row", strict=True)
        for name in (name for name, kind in self.schema.items() if kind == AMOUNT):
            given = sum(row.get(name) is not None for row in rows)
            if frame.height - frame[name].null_count() != given:
                raise ValueError(f"{self.name}.{name}: an amount does not fit DECIMAL(38, 18)")
        return frame


_DATASETS = (
    Dataset(
        "chain",
        {"chain": pl.String},
        {
            "status_raw": pl.String,
            "is_evm": pl.Boolean,
            "needs_memo": pl.Boolean,
            "confirmations": pl.Int64,
        },
        {
            "chain_full_name": pl.String,
            "explorer_url": pl.String,
            "tx_url_template": pl.String,
            "logo_url": pl.String,
        },
    ),
    Dataset(
        "fiat",
        {"fiat_id": pl.Int64},
        {"fiat": pl.String, "usd_rate": AMOUNT},
        {"mark": pl.String, "logo_url": pl.String},
    ),
    Dataset("swap_coin", {"coin_id": pl.Int64}, {"coin": pl.String}, {"logo_url": pl.String}),
    Dataset(
        "coin",
        {"coin_id": pl.Int64},
        {"coin": pl.String, "status": pl.String},
        {"coin_full_name": pl.String, "logo_url": pl.String},
    ),
    Dataset(
        "coin_network",
        {"coin_id": pl.Int64, "chain": pl.String},
        {
            "contract": pl.String,
            "precision": pl.Int64,
            "can_deposit": pl.Boolean,
            "can_withdraw": pl.Boolean,
            "min_deposit_amount": AMOUNT,
            "min_withdraw_amount": AMOUNT,
            "max_withdraw_amount": AMOUNT,
            "needs_memo": pl.Boolean,
        },
        {"chain_full_name": pl.String},
    ),
    Dataset("coin_price", {"coin_id": pl.Int64}, {"price_usd": AMOUNT}, {}),
    Dataset(
        "withdraw_fee",
        {"coin_id": pl.Int64, "chain": pl.String},
        {
            "refusal_code": pl.Int64,
            "fee_amount": AMOUNT,
            "fee_coin_id": pl.Int64,
            "fee_coin": pl.String,
        },
        {"network_fee_inquiry_id": pl.String},
    ),
    Dataset(
        "address_validity",
        {"label": pl.String, "chain": pl.String, "address": pl.String},
        {"refusal_code": pl.Int64, "is_valid": pl.Boolean},
        {},
    ),
    Dataset(
        "cwallet_user",
        {"label": pl.String, "cwallet_user_id": pl.String},
        {"refusal_code": pl.Int64, "user_name": pl.String},
        {},
    ),
)

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _DATASETS}

# Which datasets a poll of each feed writes. Coin prices have two sources: getCoinList and
# getCoinUSDTPrice, which is why poll_ids are ordered per dataset and not only per feed.
FEED_DATASETS: Mapping[str, tuple[str, ...]] = {
    "chains": ("chain",),
    "fiats": ("fiat",),
    "coins": ("swap_coin",),
    "networks": ("coin", "coin_network", "coin_price"),
    "prices": ("coin_price",),
    "fees": ("withdraw_fee",),
    "watchlist": ("address_validity", "cwallet_user"),
}

# The feed whose silence is the dataset's: coin prices are asked for by two, and getCoinList, which
# asks rarely, says little about a price of five minutes ago.
PRIMARY_FEED: Mapping[str, str] = {
    name: feed for feed, names in FEED_DATASETS.items() for name in names
}

# The order in which `ccpay poll all` asks them: lists first, prices before the fees they value.
FEEDS: tuple[str, ...] = tuple(FEED_DATASETS)
