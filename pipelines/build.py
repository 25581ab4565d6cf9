"""The composition root: what this code location consists of.

Owns nothing but this list; assets, jobs, schedules, sensors, checks and resources are in their own
modules. Called by definitions.py, by `ccpay poll` and by tests, which put their own resources in.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.assets import all_assets
from pipelines.checks import all_checks
from pipelines.jobs import all_jobs
from pipelines.listener import SilentListener
from pipelines.resources import CcpaymentResource, WarehouseResource, account_from_environment
from pipelines.schedules import all_schedules
from pipelines.sensors import all_sensors


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions of this code location.

    Args:
        resource_overrides: resources to use instead, by key: `ccpay`, `warehouse`, `listener`.
    """
    account = account_from_environment()
    return dg.Definitions(
        assets=all_assets,
        asset_checks=all_checks,
        jobs=all_jobs,
        schedules=all_schedules,
        sensors=all_sensors,
        executor=dg.in_process_executor,
        resources={
            "ccpay": CcpaymentResource(**account),
            "warehouse": WarehouseResource(**account),
            "listener": SilentListener(),
            **(resource_overrides or {}),
        },
    )
