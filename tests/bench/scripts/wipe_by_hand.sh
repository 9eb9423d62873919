#!/bin/bash
# Zeroes device $1 and reads $2 pieces of 4 MiB back; says how long that took, as wipe_once.py does.
set -euo pipefail
began=$EPOCHREALTIME
blkdiscard -z "$1"
dd if="$1" of=/dev/null iflag=direct bs=4M count="$2" status=none
ended=$EPOCHREALTIME
printf '{"seconds": %s}\n' "$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.3f", b - a }')"
