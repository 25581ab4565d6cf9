from __future__ import annotations

from ccpay_io.sandbox.universe import load_universe


def test_universe_has_the_size_of_the_real_one() -> None:
    """198 chains, 773 coins, 1,798 pairs, 155 fiats."""
    universe = load_universe()
    sizes = [len(rows) for rows in (universe.chains, universe.coins, universe.networks)]
    assert [*sizes, len(universe.fiats)] == [198, 773, 1798, 155]


def test_identifiers_are_unique() -> None:
    """No chain, coin, fiat or pair is there twice."""
    universe = load_universe()
    assert len({row["chain"] for row in universe.chains}) == 198
    assert len({row["coin_id"] for row in universe.coins}) == 773
    assert len({row["symbol"] for row in universe.coins}) == 773
    assert len({row["fiat_id"] for row in universe.fiats}) == 155
    assert len({(n.coin_id, n.chain) for n in universe.networks}) == 1798


def test_networks_name_chains_and_coins_that_exist() -> None:
    """Each pair's chain is in the chain list, and its fee is charged in a coin of the coin list."""
    universe = load_universe()
    chains = {row["chain"] for row in universe.chains}
    symbols = {int(row["coin_id"]): row["symbol"] for row in universe.coins}
    assert {network.chain for network in universe.networks} <= chains
    assert all(symbols[network.fee_coin_id] == network.fee_coin for network in universe.networks)
    assert {network.coin_id for network in universe.networks} == set(symbols)
