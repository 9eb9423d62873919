#!/bin/bash
# A machine by hand, as provision makes one. $1: how many pieces of 4 MiB are read back.
set -euo pipefail
cd "$(dirname "$0")"
disk=/dev/lvm-data/guest-alice-hand
lvcreate -qq -y -L 4G -n guest-alice-hand lvm-data
blkdiscard -z "$disk"
dd if="$disk" of=/dev/null iflag=direct bs=4M count="$1" status=none
virsh -q define hand.xml
virsh -q start alice-hand
nsupdate -k /etc/raptorctl/tsig.key hand.add
