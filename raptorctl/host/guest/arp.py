"""Who has this address? One question on a wire (RFC 826).

The kernel's own table answers late: it may hold an entry of a machine's life before, and asks anew
only after five seconds, then once a second.
"""

import socket
import struct
import time
from pathlib import Path
from typing import Final

REQUEST, REPLY = 1, 2
ETHERTYPE: Final = 0x0806
ALL: Final = b"\xff" * 6
# Ethernet, IPv4, lengths of their addresses, operation, then who asks and who is asked.
_PACKET: Final = struct.Struct("!HHBBH6s4s6s4s")
_FRAME: Final = struct.Struct("!6s6sH")
AGAIN: Final = 0.2  # seconds between two questions


def answers(interface: str, address: str, mac: str, timeout: float) -> bool:
    """Ask for an IPv4 address, and say whether that MAC has it. Needs root.

    Args:
        interface: where to ask.
        address: the one in question.
        mac: whose answer counts; another's is none.
        timeout: seconds.
    """
    try:
        own = _bytes((Path("/sys/class/net") / interface / "address").read_text().strip())
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE)) as wire:
            wire.bind((interface, ETHERTYPE))
            return _ask(wire, own, socket.inet_aton(address), _bytes(mac), timeout)
    except OSError:  # no such interface, or it is down
        return False


def _ask(wire: socket.socket, own: bytes, address: bytes, mac: bytes, timeout: float) -> bool:
    end, asked = time.monotonic() + timeout, -AGAIN
    while (left := end - time.monotonic()) > 0:
        if time.monotonic() - asked >= AGAIN:
            wire.send(question(own, address))
            asked = time.monotonic()
        wire.settimeout(min(left, AGAIN))
        try:
            if is_answer(wire.recv(1514), address, mac):
                return True
        except TimeoutError:
            continue
    return False


def question(own: bytes, address: bytes) -> bytes:
    """A frame to all that asks for an address.

    The sender's protocol address is 0.0.0.0: a probe (RFC 5227 section 2.1.1), which no cache
    takes note of.
    """
    packet = _PACKET.pack(1, 0x0800, 6, 4, REQUEST, own, bytes(4), bytes(6), address)
    return _FRAME.pack(ALL, own, ETHERTYPE) + packet


def is_answer(frame: bytes, address: bytes, mac: bytes) -> bool:
    """Whether a frame says that the MAC has the address; any ARP packet of its own says so."""
    if len(frame) < _FRAME.size + _PACKET.size:
        return False
    *_kinds, sender, sender_address, _target, _wanted = _PACKET.unpack_from(frame, _FRAME.size)
    return bool(sender == mac and sender_address == address)


def _bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
