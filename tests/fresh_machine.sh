#!/bin/bash
# A machine without our packages: a Debian 12 root with nothing but git, Python and certificates.
#
#   tests/fresh_machine.sh FOLDER          make the root, clone the committed state into it, then
#                                          1. ./dev up, and from "another terminal" aichemy tour
#                                          2. ./dev test
#   tests/fresh_machine.sh FOLDER up|test  one of the two, in the root that is there (made when it is not)
#
# Needs root (chroot, mounts) and debootstrap; the machine's own trust (certificates), name servers and package
# settings are copied in, nothing else is shared. Prints the seconds of each step. The root is left for a look:
# remove it with `rm -rf --one-file-system FOLDER`.
set -euo pipefail
folder=$(realpath -m "${1:?FOLDER of the root to make}")
what=${2:-all}
project=$(cd "$(dirname "$0")/.." && pwd)
root=$folder/root

make_root() {
  mkdir -p "$folder"
  debootstrap --variant=minbase --include=git,python3,ca-certificates bookworm "$root" >"$folder/debootstrap.log"
  # A machine may trust more than Debian does, and reach its packages by a way of its own.
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  if [ -d /usr/local/share/ca-certificates ]; then
    cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/"
    # Not just copied: packages with a store of their own (Java's) take from here when they are installed.
    chroot "$root" update-ca-certificates >>"$folder/debootstrap.log" 2>&1
  fi
  for file in /etc/pip.conf /etc/npmrc "$HOME/.npmrc" "$HOME/.m2/settings.xml"; do
    if [ -f "$file" ]; then
      mkdir -p "$root/$(dirname "$file")" && cp -L "$file" "$root/$file"
    fi
  done
  git clone -q "$project" "$root/aichemy"
}

mount_system() {
  for name in proc sys dev; do
    mountpoint -q "$root/$name" || mount --rbind "/$name" "$root/$name"
    mount --make-rslave "$root/$name"
  done
}

unmount_system() {
  for name in dev sys proc; do
    mountpoint -q "$root/$name" && umount -Rl "$root/$name"
  done
  return 0
}

# Only what a login of that machine would have; the certificate file is named for the tools that ask for it.
inside() {
  chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt /bin/bash -c "cd /aichemy && $1"
}

run_up_and_tour() {
  local began=$SECONDS
  inside "./dev up --data /srv/aichemy --ready-file /tmp/ready.json" >"$folder/up.log" 2>&1 &
  local up=$!
  until [ -s "$root/tmp/ready.json" ]; do
    if ! kill -0 $up 2>/dev/null; then
      tail -20 "$folder/up.log"
      echo "fresh machine: ./dev up ended before the platform was ready" >&2
      return 1
    fi
    sleep 1
  done
  echo "fresh machine: ./dev up, from the clone to ready: $((SECONDS - began)) s"
  began=$SECONDS
  inside "AICHEMY_DATA=/srv/aichemy build/release/aichemy tour" | tee "$folder/tour.log"
  echo "fresh machine: aichemy tour: $((SECONDS - began)) s"
  inside 'kill -TERM $(head -n 1 /srv/aichemy/LOCK)'
  wait $up || true
}

run_tests() {
  local began=$SECONDS
  inside "./dev test" >"$folder/test.log" 2>&1 || {
    tail -60 "$folder/test.log"
    echo "fresh machine: ./dev test failed after $((SECONDS - began)) s" >&2
    return 1
  }
  tail -12 "$folder/test.log"
  echo "fresh machine: ./dev test: $((SECONDS - began)) s"
}

[ -x "$root/bin/bash" ] || make_root
trap unmount_system EXIT
mount_system
case $what in
  up) run_up_and_tour ;;
  test) run_tests ;;
  all) run_up_and_tour && run_tests ;;
  *) echo "unknown step '$what'" >&2 && exit 2 ;;
esac
