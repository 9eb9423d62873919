#!/bin/bash
# Makes the bridges that /etc/raptor-bridges describes, one line per slot: NUMBER IPV4 IPV6
# IPV6-HOST ("-": none).
# What is there already stays as it is, so running this again is harmless, with machines on the bridges too.
#
# Routed, not bridged to the uplink: the host side is link-local (169.254.N.1, fe80::1), the machine's IPv4
# addresses are routed to the bridge, and nothing else of its IPv6 prefix: were the prefix on the link, whoever
# sends to each of its addresses would fill the host's one neighbour table, for all slots. A dummy port keeps the
# bridge's carrier while no machine is on it; a route without carrier may be ignored.
set -euo pipefail

link() { # link NAME KIND...: make a link unless it is there
    ip link show dev "$1" >/dev/null 2>&1 || ip link add "$1" type "${@:2}"
}

unlinked() { # unlinked BRIDGE: no prefix but fe80:: is on its link
    local prefix
    ip -6 route show dev "$1" proto kernel | while read -r prefix _; do
        [ "$prefix" = fe80::/64 ] || ip -6 route del "$prefix" dev "$1" proto kernel
    done
}

slot() { # slot NUMBER IPV4 IPV6 IPV6-HOST
    local bridge="br-vm$1" port="keep-vm$1"
    # One machine and no loops: spanning tree would delay it, snooping without a querier lose its neighbours.
    link "$bridge" bridge stp_state 0 forward_delay 0 mcast_snooping 0
    link "$port" dummy
    ip link set dev "$bridge" addrgenmode none
    ip link set dev "$port" addrgenmode none
    # A host that does not forward yet hears its own router advertisements, and puts their prefix on the link
    # (accept_ra in the kernel's ip-sysctl.rst). It has nothing to learn from machines either.
    echo 0 >"/proc/sys/net/ipv6/conf/$bridge/accept_ra"
    ip link set dev "$port" master "$bridge" up
    ip link set dev "$bridge" up
    ip address replace "169.254.$1.1/32" dev "$bridge"
    ip address replace fe80::1/64 dev "$bridge" nodad
    [ "$2" = - ] || ip route replace "$2/32" dev "$bridge" scope link
    [ "$4" = - ] || ip address replace "$4" dev "$bridge" nodad noprefixroute
    [ "$3" = - ] || ip route replace "$3/128" dev "$bridge"
    unlinked "$bridge"
}

while read -r number ipv4 ipv6 host; do
    slot "$number" "$ipv4" "$ipv6" "$host"
done < <(grep -v '^#' /etc/raptor-bridges)
