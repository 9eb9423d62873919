"""The throwaway raptor host: a Debian 13 machine in QEMU, converged by our own Ansible role.

Nothing about the host is believed until it ran here. See `python -m tests.lab --help`.
"""
