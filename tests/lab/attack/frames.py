"""Frames that no machine may send, and some that it may, from a machine's place on the network.

Runs in the lab as root, with Python's own library only. Arguments: the network namespace in the
machine's place on slot 4, that of another machine on slot 5. Every frame ends with a marker of its
own. Prints JSON: name -> where the marker was seen -> how often. `port` is the machine's own port:
what is not seen there was never sent.
"""

import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ETH_P_ALL, SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 3, 263, 1, 1
ARP, IP4, IP6, VLAN, QINQ = 0x0806, 0x0800, 0x86DD, 0x8100, 0x88A8
UDP, ICMP6, HOP, FRAGMENT = 17, 58, 0, 44

OWN, FOREIGN, ALL = "52:54:00:00:00:04", "52:54:00:00:00:05", "ff:ff:ff:ff:ff:ff"
NONE4 = "0.0.0.0"  # noqa: S104 - an address in a packet
OWN4, FOREIGN4, HOST4 = "198.51.100.4", "198.51.100.5", "169.254.4.1"
OWN6, FOREIGN6, HOST6 = "2001:db8:0:4::1", "2001:db8:0:5::1", "fe80::1"
LOCAL6 = "fe80::5054:ff:fe00:4"
NODES6, NODES = "ff02::1", "33:33:00:00:00:01"
GAP = 0.1  # seconds between frames: what one makes of the host's tables is there for the next
MARKER = 16  # bytes
WAIT = 3.0  # seconds for the last frame to arrive, on an emulated host


def main() -> None:
    guest, other = sys.argv[1:]
    router = Path("/sys/class/net/br-vm4/address").read_text().strip()
    places = {
        "port": listener("up4"),
        "bridge": listener("br-vm4"),
        "second port": listener("keep-vm4"),
        "other machine": inside(other, lambda: listener("eth0")),
    }
    sender = inside(guest, lambda: listener("eth0"))
    seen: dict[str, Counter[str]] = {}
    markers: dict[bytes, str] = {}
    for name, frame in frames(router):
        marker = os.urandom(MARKER)
        markers[marker] = name
        seen[name] = Counter(dict.fromkeys(places, 0))
        sender.send(frame + marker)
        hear(places, markers, seen, GAP)
    hear(places, markers, seen, WAIT)
    print(json.dumps(seen))


def frames(router: str) -> Iterator[tuple[str, bytes]]:
    """Name and frame; names that begin with `own` are honest."""
    for name, source, sender_mac, sender_ip in (
        ("own arp", OWN, OWN, OWN4),
        ("own arp probe", OWN, OWN, NONE4),
        ("arp for another's address", OWN, OWN, FOREIGN4),
        ("arp for the host's address", OWN, OWN, HOST4),
        ("arp with another's mac inside", OWN, FOREIGN, OWN4),
        ("arp from another's mac", FOREIGN, FOREIGN, OWN4),
    ):
        yield name, ether(ALL, source, ARP, arp(1, sender_mac, sender_ip, HOST4))
    yield "arp answer for the host", ether(ALL, OWN, ARP, arp(2, OWN, HOST4, OWN4))
    yield "own ipv4", ether(router, OWN, IP4, ip4(OWN4, FOREIGN4, 4000, 4000))
    yield "another's ipv4", ether(router, OWN, IP4, ip4("198.51.100.3", FOREIGN4, 4000, 4000))
    yield "nobody's ipv4", ether(router, OWN, IP4, ip4("192.0.2.9", FOREIGN4, 4000, 4000))
    yield "another's mac", ether(router, FOREIGN, IP4, ip4(OWN4, FOREIGN4, 4000, 4000))
    yield "own dhcp discover", ether(ALL, OWN, IP4, ip4(NONE4, "255.255.255.255", 68, 67))
    yield "no address but no dhcp", ether(ALL, OWN, IP4, ip4(NONE4, "255.255.255.255", 9, 9))
    yield "dhcp offer", ether(ALL, OWN, IP4, ip4(OWN4, "255.255.255.255", 67, 68))
    yield "dhcp offer to another", ether(router, OWN, IP4, ip4(OWN4, FOREIGN4, 67, 68))
    yield "own ipv6", ether(router, OWN, IP6, ip6(OWN6, FOREIGN6, UDP, udp(4000, 4000)))
    yield (
        "another's ipv6",
        ether(router, OWN, IP6, ip6("2001:db8:0:3::1", FOREIGN6, UDP, udp(9, 9))),
    )
    yield (
        "own prefix, other host",
        ether(router, OWN, IP6, ip6("2001:db8:0:4::2", FOREIGN6, UDP, udp(9, 9))),
    )
    yield "dhcpv6 answer", ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, UDP, udp(547, 546)))
    yield "host's link-local", ether(NODES, OWN, IP6, ip6(HOST6, NODES6, UDP, udp(9, 9)))
    yield "no ipv6 but no ndp", ether(NODES, OWN, IP6, ip6("::", NODES6, UDP, udp(9, 9)))
    advert = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    yield "router advertisement", ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, ICMP6, advert))
    hop = struct.pack("!BB6x", ICMP6, 0) + advert
    yield (
        "router advertisement behind an option",
        ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, HOP, hop)),
    )
    cut = struct.pack("!BBHI", ICMP6, 0, 0, 7) + advert
    yield (
        "router advertisement in a fragment",
        ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, FRAGMENT, cut)),
    )
    yield (
        "redirect",
        ether(
            NODES,
            OWN,
            IP6,
            ip6(LOCAL6, NODES6, ICMP6, struct.pack("!BBHI", 137, 0, 0, 0) + packed(HOST6) * 2),
        ),
    )
    yield (
        "own neighbour advertisement",
        ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, ICMP6, neighbour(136, OWN6))),
    )
    yield (
        "own duplicate detection",
        ether(
            "33:33:ff:00:00:01", OWN, IP6, ip6("::", "ff02::1:ff00:1", ICMP6, neighbour(135, OWN6))
        ),
    )
    yield (
        "neighbour advertisement for the host",
        ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, ICMP6, neighbour(136, HOST6))),
    )
    yield (
        "neighbour advertisement for another",
        ether(NODES, OWN, IP6, ip6(LOCAL6, NODES6, ICMP6, neighbour(136, FOREIGN6))),
    )
    bpdu = b"\x42\x42\x03" + bytes(35)
    yield "bpdu", ether("01:80:c2:00:00:00", OWN, len(bpdu), bpdu)
    yield "lldp", ether("01:80:c2:00:00:0e", OWN, 0x88CC, bytes(46))
    yield "bpdu to all", ether(ALL, OWN, len(bpdu), bpdu)
    inner = ip4("192.0.2.9", FOREIGN4, 9, 9)
    yield "inside a vlan", ether(ALL, OWN, VLAN, struct.pack("!HH", 7, IP4) + inner)
    yield "inside two vlans", ether(ALL, OWN, QINQ, struct.pack("!HHHH", 7, VLAN, 7, IP4) + inner)
    yield "pppoe", ether(ALL, OWN, 0x8863, bytes(46))


def ether(target: str, source: str, kind: int, payload: bytes) -> bytes:
    return mac(target) + mac(source) + struct.pack("!H", kind) + payload


def arp(operation: int, sender: str, sender_ip: str, target_ip: str) -> bytes:
    head = struct.pack("!HHBBH", 1, IP4, 6, 4, operation)
    return head + mac(sender) + packed(sender_ip) + bytes(6) + packed(target_ip) + bytes(18)


def ip4(source: str, target: str, source_port: int, target_port: int) -> bytes:
    payload = udp(source_port, target_port)
    total = 20 + len(payload) + 16  # the marker is part of the packet, or a router cuts it off
    head = (
        struct.pack("!BBHHHBBH", 0x45, 0, total, 1, 0, 64, UDP, 0) + packed(source) + packed(target)
    )
    words = sum(struct.unpack("!10H", head))
    words = (words & 0xFFFF) + (words >> 16)
    return head[:10] + struct.pack("!H", ~(words + (words >> 16)) & 0xFFFF) + head[12:] + payload


def ip6(source: str, target: str, following: int, payload: bytes) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload) + 16 * (following == UDP), following, 255)
    return head + packed(source) + packed(target) + payload


def udp(source: int, target: int) -> bytes:
    return struct.pack("!HHHH", source, target, 8 + 16, 0)


def neighbour(kind: int, target: str) -> bytes:
    return struct.pack("!BBHI", kind, 0, 0, 0x60000000 if kind == 136 else 0) + packed(target)


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def listener(interface: str) -> socket.socket:
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    heard.bind((interface, 0))
    index = socket.if_nametoindex(interface)
    heard.setsockopt(
        SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b"")
    )
    return heard


def inside(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    """Open a socket in another network namespace; it stays there."""
    with Path("/proc/self/ns/net").open() as here, Path(f"/run/netns/{namespace}").open() as there:
        os.setns(there.fileno(), os.CLONE_NEWNET)  # type: ignore[attr-defined,unused-ignore]
        try:
            return make()
        finally:
            os.setns(here.fileno(), os.CLONE_NEWNET)  # type: ignore[attr-defined,unused-ignore]


def hear(
    places: dict[str, socket.socket],
    markers: dict[bytes, str],
    seen: dict[str, Counter[str]],
    seconds: float,
) -> None:
    """Count for so long what arrives anywhere, by the markers that are in it."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select(list(places.values()), [], [], left)
        for place, listening in places.items():
            if listening in ready:
                packet = listening.recv(4096)
                for marker in (marker for marker in markers if marker in packet):
                    seen[markers[marker]][place] += 1


if __name__ == "__main__":
    main()
