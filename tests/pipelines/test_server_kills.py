"""A server is killed in parts and as a whole, and comes back by itself (docs/operations.md)."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_SECRET
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings
from ccpay_io.store.verify import verify
from pipelines.jobs import MAX_RUNTIME

sys.path.insert(0, str(Path(__file__).parent))

from postgres import PASSWORD, postgres_server
from server import Server, running, wait_until

TOML = """
[feeds]
chains = 60
fiats = 60
prices = 60
fees = 60
watch_s = 10
"""
# Of a feed that is polled every minute: twice a minute, the longest that a list may take.
LONGEST_S = 120
PLAIN = "-m dagster api grpc --module-name pipelines.definitions --socket"
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


class Records:
    """What Dagster's records say; a new connection each time, as PostgreSQL is killed too."""

    def __init__(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        self._home = str(server.home)
        for name, value in server.postgres.environment.items():
            monkeypatch.setenv(name, value)

    def runs(self, **filters: object) -> list[dg.DagsterRun]:
        """Runs, the youngest first."""
        with dg.DagsterInstance.from_config(self._home) as instance:
            return list(instance.get_runs(filters=dg.RunsFilter(**filters)))

    def ended(self, run_id: str) -> bool:
        """Whether this run is over, in whatever way."""
        return self.runs(run_ids=[run_id])[0].status in ENDED

    def polling_fees(self) -> dg.DagsterRun:
        """A run that is asking for fees, which takes a while here; waits for one."""
        job = {"job_name": "poll_fees", "statuses": [dg.DagsterRunStatus.STARTED]}
        wait_until(lambda: self.runs(**job), 150)
        return self.runs(**job)[0]

    def process(self, run_id: str) -> int:
        """The process of a run, by what its event log says."""
        with dg.DagsterInstance.from_config(self._home) as instance:
            told = " ".join(entry.message for entry in instance.all_logs(run_id))
        found = re.search(r"\(pid: (\d+)\)", told)
        assert found, told
        return int(found[1])

    def done_since(self, moment: datetime) -> bool:
        """Whether a run that was asked for after this moment has succeeded."""
        return bool(self.runs(created_after=moment, statuses=[dg.DagsterRunStatus.SUCCESS]))


@pytest.fixture
def server(
    settings: Settings, faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """All of it, running, with feeds that are due every minute and a slow API."""
    (tmp_path / "ccpay.toml").write_text(TOML)

    async def lists() -> None:
        async with open_collector(settings) as collector:
            for feed in ("coins", "networks"):
                await collector.poll(feed)

    asyncio.run(lists())
    faults.add("slow:1", "getWithdrawFee")
    account = {name: value for name, value in os.environ.items() if name.startswith("CCPAY_")}
    with postgres_server() as postgres:
        postgres.stop("fast")
        with running(Server(Path(postgres.environment["PGHOST"]), postgres, account)) as booted:
            yield booted


def back(records: Records, faults: Faults, since: float, moment: datetime) -> str:
    """Waits until the watch asks and a scheduled run succeeds again; says when they did."""
    asked = faults.requests["getChainList"]
    wait_until(lambda: faults.requests["getChainList"] > asked, 120)
    watch = time.monotonic() - since
    wait_until(lambda: records.done_since(moment), 240)
    return f"watch {watch:.0f} s, next scheduled run done {time.monotonic() - since:.0f} s"


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_what_is_killed_comes_back(
    server: Server, settings: Settings, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daemon, code server, a run, and everything at once: no slot stays taken, no poll is torn."""
    records = Records(server, monkeypatch)
    told = {}
    booted, moment = time.monotonic(), datetime.now(UTC)
    told["start"] = back(records, faults, booted, moment)

    for name in ("daemon", "code"):
        killed, moment = time.monotonic(), datetime.now(UTC)
        server.units[name].kill()
        wait_until(lambda name=name: server.units[name].starts == 2, 30)
        told[name] = back(records, faults, killed, moment)

    victim = records.polling_fees()
    killed, moment = time.monotonic(), datetime.now(UTC)
    os.kill(records.process(victim.run_id), signal.SIGKILL)
    took = wait_until(lambda: records.ended(victim.run_id), 120)
    told["run"] = f"closed {took:.0f} s, {back(records, faults, killed, moment)}"

    victim = records.polling_fees()
    server.power_off()
    assert not server.processes()
    killed, moment = time.monotonic(), datetime.now(UTC)
    server.boot()
    wait_until(lambda: records.ended(victim.run_id), 60)
    closed = time.monotonic() - killed
    told["reboot"] = f"closed {closed:.0f} s, {back(records, faults, killed, moment)}"

    size = "pg_total_relation_size('job_ticks') / count(*)"
    told["ticks"] = server.postgres.ask(f"SELECT count(*) || ' of bytes ' || {size} FROM job_ticks")
    print("\n".join(f"{what}: {when}" for what, when in told.items()))  # noqa: T201
    assert [finding for finding in verify(open_warehouse(settings)) if not finding.ok] == []
    logs = "".join(path.read_text("utf-8", "replace") for path in server.logs.iterdir())
    assert '"event"' in logs
    for secret in (PASSWORD, SANDBOX_APP_SECRET):
        assert secret not in logs


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_where_nobody_closes_dead_runs_their_longest_time_does(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Dagster's own code server, a slot is free again once max_runtime is over."""
    code = server.units["code"]
    code.run_instead("-m pipelines.command.code_server", PLAIN)
    records = Records(server, monkeypatch)
    victim = records.polling_fees()
    begun = time.monotonic()
    server.power_off()
    server.socket.unlink()
    server.boot()
    wait_until(lambda: records.ended(victim.run_id), LONGEST_S + 60)
    took = time.monotonic() - begun

    print(f"max_runtime {LONGEST_S} s: closed after {took:.0f} s")  # noqa: T201
    assert took > LONGEST_S / 2
    assert int(victim.tags[MAX_RUNTIME]) == LONGEST_S
