"""`python -m tests.week_of_faults`: the table of errors on standard output."""

import sys

from tests.week_of_faults.table import compare, influx, markdown

with influx() as url:
    sys.stdout.write(markdown(compare(url)) + "\n")
