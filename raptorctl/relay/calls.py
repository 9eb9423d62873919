"""The calls of libvirt that a tenant may make: those of the permission table (docs/access.md).

Numbers and permissions are those of `enum remote_procedure` and its `@acl` lines (libvirt,
src/remote/remote_protocol.x). What is not here is refused, a call of a later libvirt too. Not here
although it needs `domain:read` only: DomainSaveImageGetXMLDesc, whose path libvirtd opens as root
before it asks polkit, as it does for DomainRestore and DomainRestoreFlags.
"""

from collections.abc import Iterable
from typing import Final

ALLOWED: Final = {
    # To connect at all (no @acl, or connect:getattr).
    1: "ConnectOpen",
    2: "ConnectClose",
    3: "ConnectGetType",
    4: "ConnectGetVersion",
    59: "ConnectGetHostname",
    60: "ConnectSupportsFeature",
    66: "AuthList",
    70: "AuthPolkit",
    110: "ConnectGetUri",
    149: "ConnectIsSecure",
    157: "ConnectGetLibVersion",
    360: "ConnectRegisterCloseCallback",
    361: "ConnectUnregisterCloseCallback",
    # connect:search-domains; which domains show is asked for each.
    21: "ConnectListDefinedDomains",
    25: "ConnectNumOfDefinedDomains",
    37: "ConnectListDomains",
    51: "ConnectNumOfDomains",
    105: "ConnectDomainEventRegister",
    167: "ConnectDomainEventRegisterAny",
    273: "ConnectListAllDomains",
    316: "ConnectDomainEventCallbackRegisterAny",
    344: "ConnectGetAllDomainStats",
    # domain:getattr.
    19: "DomainGetOsType",
    22: "DomainLookupByID",
    23: "DomainLookupByName",
    24: "DomainLookupByUUID",
    # domain:read.
    14: "DomainGetXMLDesc",
    15: "DomainGetAutostart",
    16: "DomainGetInfo",
    17: "DomainGetMaxMemory",
    18: "DomainGetMaxVcpus",
    20: "DomainGetVcpus",
    56: "DomainGetSchedulerType",
    57: "DomainGetSchedulerParameters",
    64: "DomainBlockStats",
    65: "DomainInterfaceStats",
    121: "DomainGetSecurityLabel",
    150: "DomainIsActive",
    151: "DomainIsPersistent",
    159: "DomainMemoryStats",
    163: "DomainGetJobInfo",
    183: "DomainHasManagedSaveImage",
    186: "DomainSnapshotGetXMLDesc",
    187: "DomainSnapshotNum",
    188: "DomainSnapshotListNames",
    189: "DomainSnapshotLookupByName",
    190: "DomainHasCurrentSnapshot",
    191: "DomainSnapshotCurrent",
    194: "DomainGetBlockInfo",
    198: "DomainGetMemoryParameters",
    200: "DomainGetVcpusFlags",
    202: "DomainIsUpdated",
    206: "DomainGetBlkioParameters",
    212: "DomainGetState",
    223: "DomainGetSchedulerParametersFlags",
    229: "DomainGetControlInfo",
    230: "DomainGetVcpuPinInfo",
    238: "DomainGetBlockJobInfo",
    243: "DomainBlockStatsFlags",
    244: "DomainSnapshotGetParent",
    246: "DomainSnapshotNumChildren",
    247: "DomainSnapshotListChildrenNames",
    253: "DomainGetBlockIOTune",
    255: "DomainGetNumaParameters",
    257: "DomainGetInterfaceParameters",
    262: "DomainGetCPUStats",
    263: "DomainGetDiskErrors",
    265: "DomainGetMetadata",
    271: "DomainSnapshotIsCurrent",
    272: "DomainSnapshotHasMetadata",
    274: "DomainListAllSnapshots",
    275: "DomainSnapshotListAllChildren",
    278: "DomainGetSecurityLabelList",
    280: "DomainGetEmulatorPinInfo",
    298: "DomainGetJobStats",
    351: "DomainGetIothreadInfo",
    353: "DomainInterfaceAddresses",
    365: "DomainGetPerfEvents",
    412: "DomainCheckpointGetXMLDesc",
    413: "DomainListAllCheckpoints",
    414: "DomainCheckpointListAllChildren",
    415: "DomainCheckpointLookupByName",
    416: "DomainCheckpointGetParent",
    426: "DomainGetMessages",
    449: "DomainGetAutostartOnce",
    # domain:start, stop, reset, init-control, suspend, screenshot, send-input, open-device.
    9: "DomainCreate",
    12: "DomainDestroy",
    27: "DomainReboot",
    28: "DomainResume",
    33: "DomainShutdown",
    34: "DomainSuspend",
    196: "DomainCreateWithFlags",
    201: "DomainOpenConsole",
    211: "DomainScreenshot",
    226: "DomainSendKey",
    234: "DomainDestroyFlags",
    245: "DomainReset",
    258: "DomainShutdownFlags",
    296: "DomainOpenChannel",
}

LOOKS: Final = {
    # connect:search-storage-pools, storage-pool:getattr, read, search-storage-vols,
    # storage-vol:getattr, read. Not by a key or a path: libvirtd looks for these itself, in every
    # pool, before it asks polkit.
    "volumes": {
        71: "ConnectNumOfStoragePools",
        72: "ConnectListStoragePools",
        73: "ConnectNumOfDefinedStoragePools",
        74: "ConnectListDefinedStoragePools",
        84: "StoragePoolLookupByName",
        85: "StoragePoolLookupByUUID",
        86: "StoragePoolLookupByVolume",
        87: "StoragePoolGetInfo",
        88: "StoragePoolGetXMLDesc",
        89: "StoragePoolGetAutostart",
        91: "StoragePoolNumOfVolumes",
        92: "StoragePoolListVolumes",
        95: "StorageVolLookupByName",
        98: "StorageVolGetInfo",
        99: "StorageVolGetXMLDesc",
        100: "StorageVolGetPath",
        154: "StoragePoolIsActive",
        155: "StoragePoolIsPersistent",
        281: "ConnectListAllStoragePools",
        282: "StoragePoolListAllVolumes",
        378: "StorageVolGetInfoFlags",
    },
    # connect:search-node-devices, node-device:getattr, read.
    "node-devices": {
        111: "NodeNumOfDevices",
        112: "NodeListDevices",
        113: "NodeDeviceLookupByName",
        114: "NodeDeviceGetXMLDesc",
        115: "NodeDeviceGetParent",
        116: "NodeDeviceNumOfCaps",
        117: "NodeDeviceListCaps",
        285: "ConnectListAllNodeDevices",
        433: "NodeDeviceGetAutostart",
        435: "NodeDeviceIsPersistent",
        436: "NodeDeviceIsActive",
    },
}
"""What is allowed beside it where the host's settings have the word in `access.readable`."""


def allowed(readable: Iterable[str] = ()) -> frozenset[int]:
    """Return the numbers of the calls that tenants of a host may make.

    Args:
        readable: words of the host's `access.readable`.

    Raises:
        KeyError: there is no such word.
    """
    return frozenset(ALLOWED).union(*(LOOKS[word] for word in readable))


OPEN: Final = 1
"""ConnectOpen: its argument is a URI, and `test:///FILE` would have libvirtd open a file."""
STREAMS: Final = frozenset({201, 211, 296})
"""DomainOpenConsole, DomainScreenshot, DomainOpenChannel: what follows them is a stream."""
