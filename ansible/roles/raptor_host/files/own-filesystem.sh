#!/bin/bash
# Give PATH a file system of its own: own-filesystem.sh PATH GROUP VOLUME SIZE
# Says "made" if it did. What PATH holds is copied; the originals stay below the mount.
set -euo pipefail
path=$1 device=/dev/$2/$3
mountpoint -q "$path" && exit 0
[ -e "$device" ] || lvcreate --quiet --yes --name "$3" --size "$4" "$2" >/dev/null
blkid -p "$device" >/dev/null || mkfs.ext4 -q -L "$3" "$device"

# A second run after a failed copy copies again; fstab(5) has the line only when all is there.
staging=$(mktemp -d)
trap 'if mountpoint -q "$staging"; then umount "$staging"; fi; rmdir "$staging"' EXIT
mount "$device" "$staging"
cp -a --one-file-system "$path/." "$staging"
chown --reference="$path" "$staging"
chmod --reference="$path" "$staging"
umount "$staging"

grep -q "^$device " /etc/fstab ||
    printf '%s %s ext4 nosuid,nodev,nofail 0 2\n' "$device" "$path" >>/etc/fstab
systemctl daemon-reload
mount "$path"
echo made
