"""Dagster resources that build ccpay_io objects: the signed client's collector, the warehouse.

Owns nothing but this translation. Settings are read when a resource is used, never when definitions
load, so a code location loads without credentials. Secrets are named (EnvVar), not held: the UI
shows the variable's name, and no field of a resource prints its value.

In another workspace, with variables of other names:

    account = {"app_id": dg.EnvVar("PAY_ID"), "app_secret": dg.EnvVar("PAY_SECRET")}
    resources = {
        "ccpay": CcpaymentResource(**account),
        "warehouse": WarehouseResource(**account, folder="/data/ccpay"),
    }
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
import polars as pl
from pydantic import Field

from ccpay_io import load_settings
from ccpay_io.feeds.collector import Collector
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings
from ccpay_io.store.reading import read
from ccpay_io.store.writer import Warehouse
from pipelines.retries import log_retries_quietly


class AccountResource(dg.ConfigurableResource):
    """What both resources are about: one account. Without fields: what the settings say.

    EnvVar cannot be optional (a missing variable fails every run), and the sandbox needs none. So
    build.py gives these fields only when the variables are set.
    """

    app_id: str | None = Field(default=None, repr=False, description="id of the merchant's app")
    app_secret: str | None = Field(default=None, repr=False, description="secret of that app")
    folder: str | None = Field(default=None, description="instead of CCPAY_WAREHOUSE")

    def settings(self) -> Settings:
        """The settings of this account.

        Raises:
            ConfigError: they cannot be used.
        """
        given = {
            "CCPAY_APP_ID": self.app_id,
            "CCPAY_APP_SECRET": self.app_secret,
            "CCPAY_WAREHOUSE": self.folder,
        }
        return load_settings({**os.environ, **{k: v for k, v in given.items() if v}})


class CcpaymentResource(AccountResource):
    """The signed, read-only client of a CCPayment account, as a collector of polls."""

    @asynccontextmanager
    async def collector(self, warehouse: "WarehouseResource") -> AsyncIterator[Collector]:
        """A collector into a warehouse of this account, for the running event loop."""
        log_retries_quietly()
        async with open_collector(warehouse.settings()) as collector:
            yield collector


class WarehouseResource(AccountResource):
    """The warehouse of an account: its published file for reading, its folder for writing."""

    def read(self, view: str) -> pl.DataFrame:
        """The rows of a published view.

        Raises:
            NothingPublished: nothing to read yet.
        """
        return read(view, self.settings().place)

    def redact(self, text: str) -> str:
        """The text without any secret of this account, whoever put it there."""
        return Redactor.of(self.settings()).text(text)

    def open(self) -> Warehouse:
        """The warehouse for writing; touches nothing yet."""
        return open_warehouse(self.settings())


def account_from_environment() -> dict[str, dg.EnvVar]:
    """The fields of the account that CCPAY_APP_ID and CCPAY_APP_SECRET name; none: the sandbox."""
    names = {"app_id": "CCPAY_APP_ID", "app_secret": "CCPAY_APP_SECRET"}
    return {field: dg.EnvVar(name) for field, name in names.items() if os.environ.get(name)}
