"""Settings of the unit tests."""

from hypothesis import settings

# No test is bound to a machine's speed.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
