"""Parts of the host that are asked one by one."""

import enum


class Part(enum.StrEnum):
    """Parts of the host that answer, or not, each on its own."""

    SETTINGS = "settings"
    LVM = "volume group"
    SCAN = "guest volumes"
    LIBVIRT = "libvirt"
    CPUS = "host cpus"
    QEMU = "qemu"
    LINKS = "bridges"
    DNS = "dns"
    KEY = "dns key"
    TEMPLATES = "templates"
    TENANTS = "tenants"
    IMAGES = "images"
    ACCESS = "access"
    WALLS = "isolation"
    WEB = "page"
    JOURNAL = "journal"


class SessionPart(enum.StrEnum):
    """Parts that only a host of one's own is asked about by name."""

    QEMU_IMG = "qemu-img"
    VOLUMES = "volumes"


AnyPart = Part | SessionPart
