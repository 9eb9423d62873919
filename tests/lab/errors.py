"""The one error of the lab: what was tried, and what was seen instead."""


class LabError(Exception):
    """The lab could not do what was asked; the message is ready to be shown to a person."""
