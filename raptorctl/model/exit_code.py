"""Exit codes of the command line, as docs/errors.md has them."""

DONE = 0
FAILED = 1
BAD_INPUT = 2
REFUSED = 3
LEFTOVERS = 4
TIMED_OUT = 5
DIFFERS = 10
"""`diff --exit-code`: a result, and no error."""
