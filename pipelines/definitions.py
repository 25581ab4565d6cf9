"""The code location that workspace.yaml names. Imported by Dagster, and by nothing else here.

Every process that runs our code in Dagster loads it: the code server with its sensors, and each
run. So this is where their log becomes lines for machines, unless it goes to a terminal.
"""

import sys

from ccpay_io.errors import ConfigError
from ccpay_io.logs import log_as_json
from ccpay_io.redaction import Redactor
from ccpay_io.settings import load_settings
from pipelines.build import build_defs

if not sys.stderr.isatty():
    try:
        log_as_json(Redactor.of(load_settings()), sys.stderr)
    except ConfigError:
        # Without usable settings nothing is polled, and a run says what is wrong with them.
        log_as_json(Redactor([]), sys.stderr)

defs = build_defs()
