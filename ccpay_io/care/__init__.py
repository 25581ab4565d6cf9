"""Care of a warehouse as a whole: backup, restore, rebuild. Called by `ccpay admin`; docs/care.md
tells people what each of them covers.
"""
