"""`ccpay doctor`: what is wrong, and what to do about it."""

import asyncio

import click
from rich.text import Text

from ccpay_io.doctor import examine, rearm
from ccpay_io.doctor.contract import compare
from ccpay_io.doctor.finding import Finding
from ccpay_io.settings import load_settings
from pipelines.command.output import name_environment, stdout

STYLES = {"ok": "green", "warn": "yellow", "wrong": "bold red"}


@click.command("doctor")
@click.option(
    "--rearm", "rearm_first", is_flag=True, help="Send requests again after 11014 was cleared up."
)
@click.option(
    "--contract",
    is_flag=True,
    help="Compare the API's answers with the documented shapes, and write a redacted bundle.",
)
def command(rearm_first: bool, contract: bool) -> int:
    """Examines settings, limits, API, disk, warehouse and what is watched.

    Asks each endpoint once and changes nothing. Exits with 1 if something does not work.
    """
    settings = load_settings()
    name_environment(settings)
    findings = [rearm(settings)] if rearm_first else []
    findings += asyncio.run(compare(settings) if contract else examine(settings))
    for finding in findings:
        _print(finding)
    return 1 if any(finding.level == "wrong" for finding in findings) else 0


def _print(finding: Finding) -> None:
    console = stdout()
    line = Text(f"{finding.level:<5}", style=STYLES[finding.level])
    console.print(line + Text(f" {finding.subject}: {finding.text}", style="default"))
    if finding.next_step:
        console.print(Text(f"      -> {finding.next_step}"))
