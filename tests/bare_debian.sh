#!/usr/bin/env bash
# The proof of the quick start: a fresh Debian 12 root with nothing but its base system, this repository as it was last
# committed, and exactly the two commands of the README. Prints how long each took; fails when one fails.
# Needs root, debootstrap, git and the host's way to a Debian mirror; inside the root there is none of git, sudo,
# a locale or golden data beside the checkout. Leaves nothing behind, unless KEEP=yes.
# tests/bare_debian.sh [FOLDER FOR THE ROOT]
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
bare=${1:-$(mktemp -d)}
[[ $(id -u) == 0 ]] || {
  echo "bare_debian: needs root, for debootstrap and chroot"
  exit 1
}

clean_up() {
  for mounted in proc dev/shm dev/pts; do
    ! mountpoint -q "$bare/$mounted" || umount "$bare/$mounted"
  done
  [[ ${KEEP:-} == yes ]] || rm -rf --one-file-system "$bare"
}
trap clean_up EXIT

# The first Debian mirror that the host itself uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  grep -Eom1 '^(URIs:|deb)[^#]*https?://[^ ]*/debian/?( |$)' | grep -Eo 'https?://[^ ]*' || true)
debootstrap --variant=minbase bookworm "$bare" "${mirror:-http://deb.debian.org/debian}" >"$bare.log" 2>&1 || {
  tail -n 20 "$bare.log"
  exit 1
}
rm "$bare.log"
apt-config dump | grep -i '^Acquire::.*proxy' >"$bare/etc/apt/apt.conf.d/90proxy" || true
cp /etc/resolv.conf "$bare/etc/resolv.conf"
mount -t proc proc "$bare/proc"
mkdir -p "$bare/dev/shm" "$bare/dev/pts"
mount -t tmpfs tmpfs "$bare/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$bare/dev/pts" # the tests of chat type at a terminal
ln -sf pts/ptmx "$bare/dev/ptmx"
mkdir "$bare/root/inkstone"
git -C "$here" archive HEAD | tar -x -C "$bare/root/inkstone"
echo "bare_debian: $(du -sh --one-file-system "$bare" | cut -f1) of base system and source in $bare"

# in_bare COMMAND: as somebody who has just logged in there.
in_bare() {
  chroot "$bare" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    bash -c "cd /root/inkstone && $1"
}
timed() {
  local began=$SECONDS
  echo "\$ $1"
  in_bare "$1"
  echo "bare_debian: $((SECONDS - began)) s: $1"
}

# The commands are taken from the README itself, so that the proof is about what a newcomer reads.
mapfile -t commands < <(sed -n '/^## Quick start/,/^## /s/^    \(\.\/inkstone .*\)$/\1/p' "$here/README.md")
((${#commands[@]} == 2)) || {
  echo "bare_debian: expected two commands in the README's quick start, got ${#commands[@]}"
  exit 1
}
timed "${commands[0]}"
timed "${commands[0]}"
timed "${commands[1]}"
echo "bare_debian: both commands worked"
