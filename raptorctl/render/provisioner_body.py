"""What the script of every generated folder has in common; only data stands before it."""

from typing import Final

BODY: Final = r"""
die() {
  printf 'vm.sh: %s\n' "$*" >&2
  exit 1
}

discard() { # FILE REASON
  rm -f -- "$1"
  die "$2"
}

# Names are compared whole, and as text; virsh pads those of pools with blanks. A list that cannot
# be had is an error, and no empty one.
listed() { # NAME LIST
  awk -v name="$1" '{ sub(/^ +/, ""); sub(/ +$/, "") } $0 "" == name "" { found = 1 }
    END { exit !found }' <<<"$2"
}

has_domain() {
  local all
  all=$(virsh list --all --name) || die 'the domains cannot be listed'
  listed "$domain" "$all"
}

runs_domain() {
  local all
  all=$(virsh list --name) || die 'the domains cannot be listed'
  listed "$domain" "$all"
}

# A folder that defines a domain itself knows it by its UUID; one of the same name is another's.
refuse_other() {
  local all found
  if [ -z "$domain_uuid" ]; then return; fi
  all=$(virsh list --all --name) || die 'the domains cannot be listed'
  if ! listed "$domain" "$all"; then return; fi
  found=$(virsh domuuid "$domain")
  [ "${found%%$'\n'*}" = "$domain_uuid" ] ||
    die "$domain is there, and was not made by this folder: remove it where it was made"
}

has_pool() {
  local all
  all=$(virsh pool-list --all --name) || die 'the pools cannot be listed'
  listed "$1" "$all"
}

runs_pool() {
  local all
  all=$(virsh pool-list --name) || die 'the pools cannot be listed'
  listed "$1" "$all"
}

has_volume() { # POOL NAME
  local all
  all=$(virsh vol-list --pool "$1") || die "the volumes of $1 cannot be listed"
  awk -v name="$2  " 'NR > 2 { sub(/^ +/, ""); if (index($0, name) == 1) found = 1 }
    END { exit !found }' <<<"$all"
}

create_pool() { # NAME PATH
  local path=$2
  if has_pool "$1"; then return; fi
  if [[ $path != /* ]]; then path=$PWD/${path#./}; fi # libvirt would not begin here
  virsh pool-define-as "$1" dir --target "$path"
  virsh pool-autostart "$1"
}

start_pool() { # NAME
  if runs_pool "$1"; then return; fi
  virsh pool-start --build "$1"
}

stop_pool() { # NAME
  if runs_pool "$1"; then virsh pool-destroy "$1"; fi
}

delete_pool() { # NAME
  stop_pool "$1"
  if has_pool "$1"; then virsh pool-undefine "$1"; fi
}

create_blank() { # POOL NAME FORMAT CAPACITY
  if has_volume "$1" "$2"; then return; fi
  virsh vol-create-as "$1" "$2" "$4" --format "$3"
}

capacity_of() { # POOL NAME
  virsh vol-dumpxml --pool "$1" "$2" |
    sed -n "s|.*<capacity unit='bytes'>\([0-9]*\)</capacity>.*|\1|p"
}

create_over() { # POOL NAME FORMAT CAPACITY POOL-BELOW NAME-BELOW FORMAT-BELOW
  local below capacity
  if has_volume "$1" "$2"; then return; fi
  below=$(virsh vol-path --pool "$5" "$6")
  capacity=${4:-$(capacity_of "$5" "$6")}
  virsh vol-create-as "$1" "$2" "$capacity" --format "$3" \
    --backing-vol "$below" --backing-vol-format "$7"
}

# libvirt renames no volume: it is copied once it is whole, and an upload that was cut off never has
# its name.
create_upload() { # POOL NAME FORMAT CAPACITY FILE
  local part=$2.part size
  if has_volume "$1" "$2"; then return; fi
  [ -s "$5" ] || die "$5 is missing or empty: make build"
  if has_volume "$1" "$part"; then virsh vol-delete --pool "$1" "$part"; fi
  size=$(stat -Lc %s -- "$5")
  virsh vol-create-as "$1" "$part" "$size" --format "$3"
  virsh vol-upload --pool "$1" "$part" "$5"
  virsh pool-refresh "$1"
  if [ -n "$4" ]; then virsh vol-resize --pool "$1" "$part" "$4"; fi
  virsh vol-clone --pool "$1" "$part" "$2"
  virsh vol-delete --pool "$1" "$part"
}

delete_volume() { # POOL NAME
  if ! has_pool "$1"; then return; fi
  start_pool "$1"
  if has_volume "$1" "$2"; then virsh vol-delete --pool "$1" "$2"; fi
}

create_domain() {
  local xml
  if has_domain; then return; fi
  if [ -n "$domain_uuid" ]; then
    virsh define domain.xml
    return
  fi
  command -v virt-install >/dev/null || die 'virt-install is not installed: it writes the domain'
  xml=$(virt-install "${virt_install[@]}" --name="$domain" --print-xml --dry-run)
  virsh define /dev/stdin <<<"$xml"
}

start_domain() {
  if runs_domain; then return; fi
  virsh start "$domain"
}

stop_domain() {
  local left
  if ! runs_domain; then return; fi
  virsh shutdown "$domain" || printf 'vm.sh: %s takes no shutdown\n' "$domain" >&2
  for ((left = stop_seconds; left > 0; left--)); do
    if ! runs_domain; then return; fi
    sleep 1
  done
  if ! runs_domain; then return; fi
  printf 'vm.sh: %s runs on after %s s: its power is cut\n' "$domain" "$stop_seconds" >&2
  virsh destroy "$domain"
}

delete_domain() {
  stop_domain
  if ! has_domain; then return; fi
  virsh undefine "$domain" --managed-save --snapshots-metadata --nvram
}

download() { # FILE
  local sum
  curl -fL --retry 3 --output "$1" --url "$image_url" || discard "$1" "no image from $image_url"
  [ -s "$1" ] || discard "$1" "$image_url is empty"
  if [ -z "$image_sha256" ]; then return; fi
  sum=$(sha256sum <"$1")
  [ "${sum%% *}" = "${image_sha256,,}" ] || discard "$1" "$image_url has SHA-256 ${sum%% *}"
}

unpack() { # FILE
  case $archive in
    7z) 7z e -so -t7z -- "$1" ${archive_path:+"$archive_path"} ;;
    xz) xz -dc -F xz -- "$1" ;;
    zst) zstd -dcq -- "$1" ;;
  esac
}

fetch() {
  local part=$image_file.part packed=$image_file.$archive found
  if [ -z "$image_url" ] || [ -s "$image_file" ]; then return; fi
  mkdir -p -- "$(dirname -- "$image_file")"
  if [ -z "$archive" ]; then
    download "$part"
  else
    if [ ! -s "$packed" ]; then
      download "$packed.part"
      mv -- "$packed.part" "$packed"
    fi
    unpack "$packed" >"$part" || discard "$part" "$packed cannot be unpacked"
  fi
  found=$(qemu-img info -- "$part" | sed -n 's/^file format: //p')
  [ "$found" = "$image_format" ] ||
    discard "$part" "$image_url is $found, and the registry says $image_format"
  mv -- "$part" "$image_file"
}

iso() { # FILE SOURCE...
  local file=$1 tool
  shift
  for tool in genisoimage mkisofs xorrisofs; do
    if command -v "$tool" >/dev/null; then
      "$tool" -quiet -output "$file" -volid cidata -joliet -rock "$@"
      return
    fi
  done
  die 'no genisoimage, mkisofs or xorrisofs is installed: one of them writes the seed'
}

seed() {
  local file stale=
  if [ -z "$seed_file" ]; then return; fi
  for file in "$seed_file.d"/*; do
    if [ ! "$seed_file" -nt "$file" ]; then stale=yes; fi
  done
  if [ -z "$stale" ]; then return; fi
  umask 077
  iso "$seed_file.part" "$seed_file.d"/*
  mv -- "$seed_file.part" "$seed_file"
}

clean() {
  if [ -n "$seed_file" ]; then rm -f -- "$seed_file" "$seed_file.part"; fi
}

clean_all() {
  clean
  rm -f -- "$image_file" "$image_file.part"
  if [ -n "$archive" ]; then rm -f -- "$image_file.$archive" "$image_file.$archive.part"; fi
}

address() {
  local from found
  if [ -n "$ip_command" ]; then
    bash -euo pipefail -c "$ip_command"
    return
  fi
  for from in lease agent arp; do
    found=$(virsh domifaddr "$domain" --source "$from" 2>/dev/null |
      awk '$3 == "ipv4" && $4 !~ /^127\./ && !n++ { sub(/\/.*/, "", $4); print $4 }') || continue
    if [ -n "$found" ]; then
      printf '%s\n' "$found"
      return
    fi
  done
  return 1
}

log_in() { # LIMIT ARGUMENT...
  local host=$ssh_host limit=$1 extra
  shift
  if [ -z "$host" ] && ! host=$(address); then
    printf 'vm.sh: no address of %s is known yet\n' "$domain" >&2
    return 1
  fi
  read -r -a extra <<<"$ssh_extra" || true
  ${limit:+timeout "$limit"} "${ssh_command[@]}" "${ssh_options[@]}" "${extra[@]}" \
    ${limit:+-o "ConnectTimeout=$connect_seconds"} -- "$ssh_user@$host" "$@"
}

wait_for() { # WHAT COMMAND...
  local what=$1 deadline=$((SECONDS + wait_seconds))
  shift
  until "$@"; do
    if ((SECONDS >= deadline)); then die "waited $wait_seconds s for $what of $domain"; fi
    sleep "$wait_interval"
  done
}

case ${1-} in
  create/* | delete/* | start/* | stop/* | wait-for-ready/* | console | ip | ssh) refuse_other ;;
esac
case ${1-} in
  build)
    fetch
    seed
    ;;
  clean) clean ;;
  clean-all) clean_all ;;
  create/domain) create_domain ;;
  delete/domain) delete_domain ;;
  start/domain) start_domain ;;
  stop/domain) stop_domain ;;
  wait-for-ready/ip) wait_for 'an address' address ;;
  wait-for-ready/ssh) wait_for 'a login' log_in "$wait_seconds" "${ready[@]}" ;;
  exec) exec bash -c "${CMD:-bash}" ;;
  console) exec virsh console --force "$domain" ;;
  ip) address || die "no address of $domain is known yet" ;;
  ssh) log_in '' ${CMD:+"$CMD"} ;;
  *) item "${1-}" ;;
esac
"""
