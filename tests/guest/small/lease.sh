#!/bin/sh
# What udhcpc calls when something happens to its lease: $1 says what, the environment says the rest.
# shellcheck disable=SC2154 # ip, mask, interface and router are udhcpc's
case $1 in
bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    # The gateway need not lie in the lease's own network: here, that is a single address.
    for gateway in $router; do
        ip route replace "$gateway" dev "$interface"
        ip route replace default via "$gateway"
    done
    echo "lease $ip"
    ;;
deconfig)
    ip addr flush dev "$interface"
    ;;
esac
