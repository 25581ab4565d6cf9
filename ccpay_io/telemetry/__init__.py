"""What monitoring sees: metrics for Prometheus and a verdict for an uptime check.

All figures are read from the publication, as analysts' are, so that they cannot differ from the
ledger and cost the writers nothing. Called by `ccpay metrics`.
"""
