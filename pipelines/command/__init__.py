"""The command `ccpay`: one module per sub-command, imported only when it is called.

`query`, `route`, `watch`, `doctor`, `sandbox`, `demo`, `admin` and `up` never import dagster: it
takes most of a second and 70 MB.
"""
