import pytest

from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings


def test_routes_are_ranked_by_cost(ccpay_command, filled: Settings) -> None:
    """The cheapest first, excluded ones last with a reason, in the currency that was asked for."""
    done = ccpay_command("route", "usdt", "500", "--fiat", "eur")
    lines = done.out.splitlines()[1:]
    ranks = [line.split()[0] for line in lines]
    numbers = [int(rank) for rank in ranks if rank != "-"]
    assert done.code == 0
    assert numbers == sorted(numbers)
    assert ranks[0] == "1"
    assert " EUR " in lines[0]
    assert all("excluded: " in line for line in lines if line.startswith("-"))


def test_a_chain_in_maintenance_is_excluded_with_its_start(
    ccpay_process, ccpay_command, filled: Settings, faults: Faults
) -> None:
    """The reason names the bounds between which the maintenance began."""
    faults.statuses["TRX"] = "Maintenance"
    assert ccpay_command("watch", "--once").code == 0
    shown = ccpay_command("route", "USDT").out
    (line,) = [line for line in shown.splitlines() if " TRX " in line]
    assert "excluded: maintenance since " in line
    assert "UTC" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("USDX",), "did you mean USDT"),
        (("USDT", "--fiat", "EUX"), "there is no fiat"),
        (("USDT", "-1"), "--help"),
        (("USDT", "1e30"), "is not an amount"),
        (("USDT", "nan"), "is not an amount"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_exits_2(
    ccpay_command, filled: Settings, arguments: tuple[str, ...], said: str
) -> None:
    """A typo is told with what may have been meant."""
    done = ccpay_command("route", *arguments)
    assert done.code == 2
    assert said in done.err


def test_an_amount_below_every_minimum_has_no_route(ccpay_command, filled: Settings) -> None:
    """Nothing can be used, so the exit code is 1 and each line says why."""
    done = ccpay_command("route", "USDT", "0.000001")
    assert done.code == 1
    assert "below the smallest withdrawal" in done.out


def test_before_the_first_poll_it_says_what_to_do(ccpay_command) -> None:
    """Nothing published yet is told as that, with the next step."""
    done = ccpay_command("route", "USDT")
    assert done.code == 1
    assert "ccpay poll all" in done.err
    assert "sandbox" in done.err
