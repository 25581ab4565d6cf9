"""What the warehouse costs and how fast it answers, measured beside plain rows in the same run.

`make bench` runs it from a checkout; it is not installed. history.py invents the polls, writing.py
stores them twice (the second time through plain.py), questions.py asks both, report.py prints.
"""
