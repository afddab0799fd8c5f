# Part of ./inkstone: configuring and building the presets of CMakePresets.json, and running a benchmark.
# One build at a time in a checkout: a second caller waits. A stamp is written only after success, so an
# interrupted install or build leaves nothing that the next call would take for finished.
# shellcheck shell=bash disable=SC2154  # root, program, stamp, say and die come from ./inkstone

with_lock() {
  mkdir -p "$root/build" || die "cannot write to $root/build"
  local lock
  exec {lock}>"$root/build/.lock"
  if ! flock -n "$lock"; then
    say "another build is running here; waiting for it"
    flock "$lock"
  fi
  trap 'say "stopped; call again to go on from here"; exit 130' INT TERM
  "$@"
  trap - INT TERM
  exec {lock}>&-
}

# configure PRESET TESTS: makes build/PRESET. TESTS is ON, or OFF where GoogleTest may be missing; a folder that
# was once configured with tests keeps them.
configure() {
  local preset=$1 tests=$2 folder=$root/build/$1 cache=$root/build/$1/CMakeCache.txt how=()
  if [[ -f $cache ]]; then
    if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
      how=(--fresh) # the checkout was moved or copied
    elif [[ -f $folder/build.ninja && ! $root/CMakePresets.json -nt $folder/build.ninja ]]; then
      if [[ $tests == OFF ]] || grep -qx 'INKSTONE_TESTS:[A-Z]*=ON' "$cache"; then return; fi
    fi
    if grep -qx 'INKSTONE_TESTS:[A-Z]*=ON' "$cache"; then tests=ON; fi
  fi
  [[ $preset == fuzz ]] && tests=OFF
  say "configuring build/$preset"
  mkdir -p "$folder"
  local log=$folder/configure.log
  if ! cmake -S "$root" --preset "$preset" "${how[@]}" -DINKSTONE_TESTS="$tests" >"$log" 2>&1; then
    cat "$log" >&2
    die "configuring failed; above is what CMake said"
  fi
}

# run_ninja PRESET TARGET…
run_ninja() {
  (cd "$root/build/$1" && NINJA_STATUS='[%f/%t] ' ninja "${@:2}" >&2) ||
    die "the build of $1 failed; above is what the tools said"
}

# build PRESET TESTS TARGET…: under the lock. TARGET all includes the program, whose stamp is then renewed.
build() {
  local preset=$1 tests=$2
  configure "$preset" "$tests"
  if [[ $preset != release ]]; then
    run_ninja "$preset" "${@:3}"
    return
  fi
  : >"$stamp.began"
  run_ninja release "${@:3}"
  if [[ " ${*:3} " =~ " all "|" inkstone " ]]; then
    mv "$stamp.began" "$stamp"
  else
    rm -f "$stamp.began"
  fi
}

# What the hand-over needs: packages, then the program alone.
build_program() {
  with_lock build_program_locked
}

build_program_locked() {
  if program_is_current; then return; fi # the one that we waited for has done it
  need_packages build
  [[ -f $stamp ]] || say "building; this first time takes some minutes"
  build release OFF inkstone inkstone-connect
}

# ./inkstone build [PRESET]
build_preset() {
  local preset=${1:-release}
  case $preset in
    release | asan | tsan) with_lock need_packages build test ;;
    fuzz) with_lock need_packages build fuzz ;;
    *) die "no such preset: $preset; there are release, asan, tsan, fuzz" ;;
  esac
  with_lock build "$preset" ON all
}

# ./inkstone bench [NAME [ARGUMENT…]]
door_bench() {
  if (($# == 0)); then
    local source
    for source in "$root"/bench/*/*_bench.cpp; do
      [[ -f $source ]] && basename "$(dirname "$source")"
    done
    return 0
  fi
  local name=$1
  [[ -f $root/bench/$name/${name}_bench.cpp ]] || die "no such benchmark: $name; ./inkstone bench lists them"
  with_lock need_packages build
  with_lock build release OFF "${name}_bench"
  "$root/build/release/bin/${name}_bench" "${@:2}"
}
