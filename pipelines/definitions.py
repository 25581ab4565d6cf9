"""The code location that workspace.yaml names. Imported by Dagster, and by nothing else here."""

from pipelines.build import build_defs

defs = build_defs()
