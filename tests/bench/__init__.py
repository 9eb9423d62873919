"""The speed budget, measured: ratios within one run, never a timed test.

`python -m tests.bench` (or `make bench`) measures, writes `tests/bench/results.json`, and the table
in `docs/performance.md` from it. Its parts:

    stopwatch   times contenders turn by turn, on this machine or inside the lab
    figures     what a measurement is: medians, ratios, the verdict against the budget
    local       rows measured on this machine: start-up, planning
    storage     rows in the lab: provision, wipe
    listing     rows in the lab: list, show, doctor on a host with 300 machines
    web         rows of the page, on a session host of this machine
    page        the table
    site        what the machines are that it was measured on
"""
