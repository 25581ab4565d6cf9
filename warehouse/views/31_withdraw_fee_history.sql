-- view: withdraw_fee_history
-- grain: one row per pair and stretch of time in which its answer was the same; an unknown stretch ends one row and the next answer begins another
-- key: coin_id, chain, valid_from
-- consumers: analysts
-- example: SELECT valid_from, valid_to, fee_amount, fee_coin, fee_usd FROM withdraw_fee_history WHERE coin = 'USDT' AND chain = 'TRX' ORDER BY valid_from
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column state: ok or refused
-- column refusal_code: the API's code when refused
-- column fee_amount: network fee in units of the fee coin, exact as answered
-- column fee_coin_id: id of the coin in which the fee is charged
-- column fee_coin: symbol of that coin
-- column fee_usd: fee_amount x the fee coin's price as of valid_from, exact, rounded to 12 places; NULL without a price, or when price_age_s is more than three cadences of getCoinList as planned at the last poll of prices before (of getCoinUSDTPrice if getCoinList was not polled)
-- column price_usd: that price
-- column price_age_s: seconds from the last poll of getCoinUSDTPrice in which the price held, or from the poll that first told it if that is later, to valid_from; getCoinList confirms prices only where getCoinUSDTPrice never answered; NULL without a price
-- column valid_from: when this answer was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column fee_amount_change_pct: change of the fee in the same fee coin against the row before, in percent
-- column price_change_pct: change of the fee coin's price against the row before, in percent
-- column poll_id: the poll in which this answer was first received
CREATE OR REPLACE VIEW withdraw_fee_history AS
WITH compared AS (
    SELECT
        *,
        lag(fee_amount) OVER pair AS fee_before,
        lag(fee_coin_id) OVER pair AS fee_coin_before,
        lag(price_usd) OVER pair AS price_before
    FROM store.withdraw_fee_valued
    -- All names of the pair, so that a filter on any of them reaches the store.
    WINDOW pair AS (PARTITION BY entity_id, coin_id, coin, chain ORDER BY valid_from)
)

SELECT
    coin_id,
    coin,
    chain,
    state,
    refusal_code,
    fee_amount,
    fee_coin_id,
    fee_coin,
    fee_usd,
    price_usd,
    price_age_s,
    valid_from,
    valid_to,
    CASE WHEN fee_coin_id = fee_coin_before THEN store.change_pct(fee_before, fee_amount) END AS fee_amount_change_pct,
    CASE WHEN fee_coin_id = fee_coin_before THEN store.change_pct(price_before, price_usd) END AS price_change_pct,
    poll_id
FROM compared;
