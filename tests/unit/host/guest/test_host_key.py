"""Guests' host keys: a pair, and another one each time."""

import asyncssh

from raptorctl.host.guest.host_key import new_host_key


def test_both_halves_belong_together_and_are_in_opensshs_words() -> None:
    key = new_host_key("alice-dev")
    pair = asyncssh.import_private_key(key.private)
    assert pair.export_public_key("openssh").decode().split()[:2] == key.public.split()
    assert key.public.startswith("ssh-ed25519 AAAA")
    assert key.private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")


def test_no_two_are_the_same() -> None:
    assert new_host_key("x") != new_host_key("x")
