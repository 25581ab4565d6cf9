import asyncio
import json
from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.settings import Settings
from pipelines.build import build_defs
from pipelines.resources import CcpaymentResource, WarehouseResource, account_from_environment

CANARY = "canary-91f0e7-secret"


def test_secrets_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a resource with its secrets resolved nor its settings show them."""
    monkeypatch.setenv("CCPAY_APP_ID", CANARY)
    monkeypatch.setenv("CCPAY_APP_SECRET", CANARY)
    for kind in (CcpaymentResource, WarehouseResource):
        resource = kind(**account_from_environment()).process_config_and_initialize()
        assert resource.app_secret == CANARY
        for shown in (repr(resource), str(resource), repr(resource.settings())):
            assert CANARY not in shown


def test_the_ui_is_told_names_of_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dagster serializes of the resources has the name of the variable, not its value."""
    monkeypatch.setenv("CCPAY_APP_ID", CANARY)
    monkeypatch.setenv("CCPAY_APP_SECRET", CANARY)
    repository = build_defs().get_repository_def()
    shown = {
        name: resource.config_schema.default_value
        for name, resource in repository.get_top_level_resources().items()
        if resource.config_schema.default_provided
    }
    text = json.dumps(shown, default=str)
    assert "CCPAY_APP_SECRET" in text
    assert CANARY not in text


def test_without_variables_the_sandbox_is_used(tmp_path: Path) -> None:
    """Variables that are not set are no error: the account is then the sandbox's."""
    settings = WarehouseResource(**account_from_environment()).settings()
    assert settings.environment == "sandbox"
    assert settings.warehouse == tmp_path / "data" / "sandbox"


def test_variables_of_other_names_can_be_used(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another workspace the credentials may have other names and the folder another place."""
    monkeypatch.setenv("PAY_ID", settings.credentials.app_id.reveal())
    monkeypatch.setenv("PAY_SECRET", settings.credentials.app_secret.reveal())
    monkeypatch.delenv("CCPAY_APP_ID")
    monkeypatch.delenv("CCPAY_APP_SECRET")
    account = {"app_id": dg.EnvVar("PAY_ID"), "app_secret": dg.EnvVar("PAY_SECRET")}
    elsewhere = WarehouseResource(**account, folder=str(tmp_path / "elsewhere"))
    with dg.build_resources({"warehouse": elsewhere}) as resources:
        found = resources.warehouse.settings()
    assert found.credentials == settings.credentials
    assert found.warehouse == tmp_path / "elsewhere"


def test_a_collector_polls_in_two_lines(
    ccpay: CcpaymentResource, warehouse: WarehouseResource
) -> None:
    """What an asset of somebody else writes to poll a feed."""

    async def polled() -> str:
        async with ccpay.collector(warehouse) as collector:
            return (await collector.poll("fiats")).outcome

    assert asyncio.run(polled()) == "ok"
    assert len(warehouse.read("fiat_rate_now")) == 155
