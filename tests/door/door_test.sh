#!/usr/bin/env bash
# Tests of the front door on a stand-in project of one file, so that they take seconds: what it hands over, what it
# rebuilds, what it says before it installs, and that an interruption leaves nothing half-done. The real thing, on a
# bare system, is tests/bare_debian.sh.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
house=$work/a\ house # the space in the name is part of the test
stubs=$work/stubs

passed=0
check() { # check NAME COMMAND…: the command must succeed
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    echo "FAILED: $1"
    tail -n 20 "$work"/out "$work"/err 2>/dev/null || true
    exit 1
  fi
}

# door ARGUMENT…: runs the front door; its streams are in out and err, its exit code in code.
door() {
  code=0
  "$house/inkstone" "$@" >"$work/out" 2>"$work/err" || code=$?
}
said() { grep -qF -- "$1" "$work/err"; }
answered() { [[ $(<"$work/out") == "$1" ]]; }
exited() { [[ $code == "$1" ]]; }

# make_stub NAME TEXT: a program of that name before all others in PATH.
make_stub() {
  printf '#!/bin/sh\n%s\n' "$2" >"$stubs/$1"
  chmod +x "$stubs/$1"
}

make_house() {
  mkdir -p "$house/tools" "$house/src/cli" "$house/pocket" "$stubs"
  cp "$here/inkstone" "$here/CMakePresets.json" "$house/"
  cp -r "$here/tools/door" "$house/tools/"
  cat >"$house/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.25)
project(stand_in CXX)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_executable(inkstone src/cli/main.cpp)
add_custom_target(inkstone-connect)
TEXT
  write_program first
}

# write_program WORD: the program answers with this word, its folder and its arguments, and exits with 7.
write_program() {
  cat >"$house/src/cli/main.cpp" <<TEXT
#include <cstdio>
#include <unistd.h>
int main(int argc, char** argv) {
  char folder[4096];
  std::printf("$1|%s", getcwd(folder, sizeof folder));
  for (int i = 1; i < argc; ++i) std::printf("|%s", argv[i]);
  std::printf("\n");
  return 7;
}
TEXT
}

# The packages are taken for installed: what happens when they are not is tested with stubs below.
pretend_installed() {
  # shellcheck disable=SC2016
  make_stub dpkg-query 'shift 2; for name; do echo "$name installed"; done'
  make_stub apt-get 'echo "apt-get $*" >>"'"$work"'/apt"; exit 1'
  export PATH=$stubs:$PATH
}

test_hand_over() {
  cd "$work"
  door run "把客厅的灯调暗一点" 'two words' ''
  check "first call answers" answered "first|$work|run|把客厅的灯调暗一点|two words|"
  check "exit code is the program's" exited 7
  check "progress is on stderr" said "building; this first time"
  check "nothing was installed" test ! -e "$work/apt"
  door run again
  check "second call answers" answered "first|$work|run|again"
  check "second call says nothing of its own" test ! -s "$work/err"
  ln -s "$house/inkstone" "$work/link"
  check "works through a link" test "$("$work/link" run)" = "first|$work|run"
  (cd "$house" && bash inkstone run >"$work/out" 2>"$work/err") || true
  check "works by its bare name" answered "first|$house|run"
}

# Measured in processor time, because the machine may have other work.
test_overhead() {
  local TIMEFORMAT='%U %S' user system
  read -r user system < <({ time for _ in {1..20}; do
    "$house/inkstone" run >"$work/out" 2>"$work/err" || true
  done; } 2>&1)
  local each_us=$(((10#${user/./} + 10#${system/./}) * 1000 / 20)) # both have three digits behind the point
  echo "hand-over: $each_us us a call"
  check "hand-over under 30 ms" test "$each_us" -lt 30000
}

test_rebuild() {
  sleep 0.05
  write_program second
  door run
  check "a changed source is rebuilt" answered "second|$work|run"
  sleep 0.05
  echo 'int broken' >>"$house/src/cli/main.cpp"
  door run
  check "a broken source fails" exited 1
  check "and says so" said "the build of release failed"
  check "without an answer" answered ""
  door run
  check "and fails again: no stamp was left" exited 1
  write_program third
  door run
  check "until it is repaired" answered "third|$work|run"
}

test_interrupted() {
  sleep 0.05
  write_program fourth
  make_stub ninja 'sleep 5'
  local status=0
  timeout -s INT 1 "$house/inkstone" run >"$work/out" 2>"$work/err" || status=$?
  check "Ctrl-C ends the build" test "$status" -ne 0
  check "and says how to go on" said "call again to go on"
  rm "$stubs/ninja"
  door run
  check "the next call builds" answered "fourth|$work|run"
}

test_two_at_once() {
  sleep 0.05
  write_program fifth
  "$house/inkstone" run >"$work/one" 2>"$work/one.err" &
  "$house/inkstone" run >"$work/two" 2>"$work/two.err" || true
  wait $! || true
  check "both answer" cmp -s "$work/one" "$work/two"
  check "with the new program" test "$(<"$work/one")" = "fifth|$work|run"
  local compiled
  compiled=$(cat "$work"/{one,two}.err | grep -c 'Building' || true)
  check "and it was compiled once" test "$compiled" -eq 1
}

test_moved() {
  mv "$house" "$work/moved"
  house=$work/moved
  sleep 0.05
  write_program sixth
  door run
  check "a moved checkout builds afresh" answered "sixth|$work|run"
}

test_installing() {
  rm -rf "$house/build"
  make_stub dpkg-query 'echo "g++ installed"'
  make_stub apt-get 'echo "apt-get $*" >>"'"$work"'/apt"; case "$*" in *--simulate*) exit 1;; esac; exit 0'
  make_stub id 'echo 0'
  door run
  local missing=$(($(grep -c '^build ' "$here/tools/door/packages.sh") - 1)) # all but g++
  check "says what it installs" said "about to install $missing packages"
  check "by name, with the reason" said "libedit-dev          line editing in chat"
  check "updates missing lists" grep -q -- ' update' "$work/apt"
  check "installs by name" grep -q -- 'install -y --no-install-recommends cmake ninja-build' "$work/apt"
  check "leaves installed ones alone" test "$(grep -c 'g++' "$work/apt")" -eq 0
  check "then answers" answered "sixth|$work|run"
}

test_not_root() {
  rm -rf "$house/build"
  make_stub id 'echo 1000'
  make_stub sudo 'echo "sudo $*" >>"'"$work"'/sudo"; exec "$@"'
  door run
  check "not being root it asks sudo" grep -q '^sudo env .*apt-get' "$work/sudo"
  make_stub apt-get 'exit 1'
  rm -rf "$house/build"
  door run
  check "a failing apt-get is an error" exited 1
  check "with a reason" said "apt-get update failed"
  rm "$stubs/sudo"
  if ! command -v sudo >/dev/null; then
    door run
    check "without sudo it says what to type" said "as root: apt-get install"
    check "and gives up" exited 1
  fi
  INKSTONE_INSTALL=no door run
  check "INKSTONE_INSTALL=no goes on" answered "sixth|$work|run"
}

# Elsewhere than on Debian: a PATH that holds the tools but neither apt-get nor dpkg-query.
test_elsewhere() {
  rm -rf "$house/build" "$stubs"
  mkdir "$stubs"
  local tool
  for tool in bash cat mkdir find cmake ninja c++ g++ cc gcc as ld ar ranlib flock grep mv rm readlink touch env sh; do
    ln -s "$(type -P "$tool")" "$stubs/$tool"
  done
  PATH=$stubs door run
  check "elsewhere it names what is needed" said "libutf8proc-dev"
  check "and goes on when the tools are there" answered "sixth|$work|run"
  rm -rf "$house/build" "$stubs/ninja"
  PATH=$stubs door run
  check "and stops when they are not" said "not found: ninja"
  check "with an error" exited 1
}

test_developer_words() {
  door build nonsense
  check "an unknown preset is named" said "no such preset: nonsense"
  door test nonsense
  check "unknown tests are named" said "no such tests: nonsense"
  door bench nonsense
  check "an unknown benchmark is named" said "no such benchmark: nonsense"
  door bench
  check "without anything the benchmarks are listed" answered ""
  door bench -m some.gguf -p 8
  check "bench with flags is the program's" grep -qF '|bench|-m|some.gguf|-p|8' "$work/out"
  door install build nonsense
  check "an unknown group is named" said "no such group: nonsense"
  door fuzz
  check "no fuzz target is an error" said "there is no fuzz target"
  door help
  check "help is on stdout" grep -q 'inkstone fuzz' "$work/out"
  door test --help
  check "test --help is help, and tests nothing" grep -q 'inkstone fuzz' "$work/out"
}

make_house
pretend_installed
test_hand_over
test_overhead
test_rebuild
test_interrupted
test_two_at_once
test_moved
test_developer_words
test_installing
test_not_root
test_elsewhere
echo "front door: $passed checks passed"
