#!/usr/bin/env bash
# Tests of the real program through the front door: the README's first command gives a tool call of the right kind, on
# stdout and nowhere else; and what the README says about privacy holds. Needs the release build, which
# ./inkstone test door makes.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$here/build/release/bin/inkstone
fail() {
  printf 'FAILED: %s\n' "$1"
  cat "$work"/out "$work"/err 2>/dev/null || true
  exit 1
}

test_quick_start() {
  "$here/inkstone" run "把客厅的灯调暗一点" >"$work/out" 2>"$work/err" || fail "the README's first command fails"
  grep -q '^set_light(.*living_room' "$work/out" || fail "the answer is not a call that changes the light of that room"
  [[ ! -s $work/err ]] || fail "an answer that needs no building says something on stderr"
}

# imported PROGRAM NAMES: which of these functions of the system the program imports.
imported() { nm -D --undefined-only "$1" | grep -Eo "\\b($2)\\b" || true; }

# The functions that open or use a connection: none in the program, and none that goes outwards in the server.
test_no_network() {
  local outwards='connect|getaddrinfo|gethostby[a-z_]*|res_[a-z_]*' found
  found=$(imported "$program" "$outwards|socket|bind|listen|accept4?|send(to|msg|mmsg)|recv(from|msg|mmsg)")
  [[ -z $found ]] || fail "the program imports functions of the network: $found"
  found=$(imported "$program-serve" "$outwards")
  [[ -z $found ]] || fail "the server imports functions that open connections: $found"
  if unshare -rn true 2>/dev/null; then
    unshare -rn "$here/inkstone" run "turn on the kitchen light" >"$work/out" 2>"$work/err" ||
      fail "no answer without a network"
  fi
}

test_quick_start
test_no_network
echo "program: answered, and imports nothing of the network"
