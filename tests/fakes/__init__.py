"""A host in memory: every driver, one world, and a way to make any call fail.

For what reality will not do on demand (a fault at the k-th call, a kill between two lines). That
the real drivers behave as these do is shown in the lab.
"""

from tests.fakes.account import FakeAccounts, FakeAuthority
from tests.fakes.console import FakeConsoles, FakeStream
from tests.fakes.dns import FakeZones
from tests.fakes.domain import FakeDomains
from tests.fakes.file import FakeFiles
from tests.fakes.guest import FakeGuests, FakeShell
from tests.fakes.image import FakeImages
from tests.fakes.links import FakeLinks
from tests.fakes.mail import FakeMail
from tests.fakes.sample import IMAGE, ISO, SETTINGS_TEXT, but, settings, topology
from tests.fakes.tripwire import Guarded, Killed, Tripwire
from tests.fakes.volume import FakeCopier, FakeVolumes, FakeWiper
from tests.fakes.world import World

__all__ = [
    "IMAGE",
    "ISO",
    "SETTINGS_TEXT",
    "FakeAccounts",
    "FakeAuthority",
    "FakeConsoles",
    "FakeCopier",
    "FakeDomains",
    "FakeFiles",
    "FakeGuests",
    "FakeImages",
    "FakeLinks",
    "FakeMail",
    "FakeShell",
    "FakeStream",
    "FakeVolumes",
    "FakeWiper",
    "FakeZones",
    "Guarded",
    "Killed",
    "Tripwire",
    "World",
    "but",
    "settings",
    "topology",
]
