"""What asking and keeping cost, and how fast answers are, beside baselines in the same run.

`make bench` runs it from a checkout, all but the lake's; it is not installed. The store uses only
what a pipeline and a reader use: `Warehouse.commit`, `publish`, `seal` and the published views.

    asking.py     this client beside others     slow_api.py  the server that all of them ask
    history.py    invents the polls                 rows.py       the same as denormalized rows
    writing.py    whole days into both sides        hour.py       an hour by the default settings
    year.py       one hot window against a year     sizes.py      bytes on disk, bytes written
    plain.py, clickhouse.py, by_dlt.py              the baselines
    questions.py  asks all sides, compares, times   sql_*.py      the forms of the questions
    run.py        one change rate                   report.py, targets.py    what is printed
    board.py      the board beside its parts
    lake.py, lake_slopes.py                         alone, on a PostgreSQL of yours
"""
