#!/bin/bash
# Ends with 0 if the disk $1 is blank, or says what is on it. Blank means: a whole disk that nothing holds
# or mounts, without partitions, without any signature that libblkid knows, and only zeroes in its
# first and last 16 MiB (where boot sectors, partition tables and metadata copies live).
set -euo pipefail

disk=$(readlink -f -- "$1")
edge=$((16 << 20))

refuse() {
    echo "$disk $1; it is left alone" >&2
    exit 1
}

zeroes() {  # zeroes OFFSET LENGTH
    cmp --quiet --ignore-initial="$1:0" --bytes="$2" -- "$disk" /dev/zero
}

[ -b "$disk" ] || refuse "is not a block device"
[ "$(lsblk --noheadings --list --output NAME -- "$disk" | wc -l)" -eq 1 ] || refuse "is partitioned or in use"
[ -z "$(lsblk --noheadings --nodeps --output MOUNTPOINTS -- "$disk")" ] || refuse "is mounted"
signatures=$(wipefs --no-act --noheadings --output TYPE -- "$disk" | sort -u | paste -sd ' ')
[ -z "$signatures" ] || refuse "holds $signatures"

size=$(blockdev --getsize64 "$disk")
[ "$size" -ge "$edge" ] || refuse "is smaller than 16 MiB"
zeroes 0 "$edge" || refuse "holds data in its first 16 MiB"
zeroes $((size - edge)) "$edge" || refuse "holds data in its last 16 MiB"
