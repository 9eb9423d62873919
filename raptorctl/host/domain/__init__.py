"""libvirt: domains, their disks and consoles."""
