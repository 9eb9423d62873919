"""Volumes: LVM's, and the qcow2 files of a session host."""
