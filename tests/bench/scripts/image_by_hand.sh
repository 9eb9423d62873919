#!/bin/bash
# A machine that begins as an image, by hand, as `provision --image` makes one.
# $1: the image, qcow2. $2: how many pieces of 4 MiB of the empty volume are read back.
# $3: `compare` to read image and volume back, as provision does.
# What cloud-init is told lies beside this script: user-data, meta-data, network-config.
set -euo pipefail
cd "$(dirname "$0")"
disk=/dev/lvm-data/guest-alice-hand
seed=/var/lib/libvirt/images/alice-hand-seed.iso
lvcreate -qq -y -L 4G -n guest-alice-hand lvm-data
blkdiscard -z "$disk"
dd if="$disk" of=/dev/null iflag=direct bs=4M count="$2" status=none
qemu-img convert -n -W --target-is-zero -t none -f qcow2 -O raw "$1" "$disk"
# Beyond the image the volume is zero, which qemu-img takes for equal.
[ "${3-}" != compare ] || qemu-img compare -q -T none -f qcow2 -F raw "$1" "$disk"
cloud-localds --network-config=network-config "$seed" user-data meta-data
virt-install --quiet --name alice-hand --virt-type qemu --machine pc-q35-9.1 \
    --memory 768 --vcpus 2 \
    --cputune vcpupin0.vcpu=0,vcpupin0.cpuset=2,vcpupin1.vcpu=1,vcpupin1.cpuset=3,emulatorpin.cpuset=2-3 \
    --osinfo detect=off,require=off --import --noautoconsole \
    --boot loader=/usr/share/OVMF/OVMF_CODE_4M.fd,loader.readonly=yes,loader.type=pflash,nvram.template=/usr/share/OVMF/OVMF_VARS_4M.fd \
    --disk "path=$disk,format=raw,bus=virtio,cache=none,driver.io=native" \
    --disk "path=$seed,format=raw,bus=virtio,readonly=on" \
    --network bridge=br-vm1,mac=52:54:00:00:00:01,model=virtio \
    --graphics none --console pty,target.type=virtio --rng /dev/urandom
nsupdate -k /etc/raptorctl/tsig.key hand.add
