# Part of ./inkstone: fuzzing. The search works in build/fuzz/corpus; what it found is then merged into
# tests/fuzz/corpus, which keeps only inputs that reach new code, so that the kept corpus stays small. An input that
# breaks something goes straight to tests/fuzz/corpus: from then on the ordinary tests replay it.
# shellcheck shell=bash disable=SC2154  # root, say and die come from ./inkstone

# ./inkstone fuzz [NAME] [SECONDS]
door_fuzz() {
  local name seconds=60 names=() source failed=()
  for source in "$root"/tests/fuzz/fuzz_*.cpp; do
    [[ -f $source ]] || continue
    name=${source##*/fuzz_}
    names+=("${name%.cpp}")
  done
  ((${#names[@]} > 0)) || die "there is no fuzz target in tests/fuzz"
  if (($# > 0)) && [[ ! $1 =~ ^[0-9]+$ ]]; then
    [[ " ${names[*]} " == *" $1 "* ]] || die "no such fuzz target: $1; there are ${names[*]}"
    names=("$1")
    shift
  fi
  if (($# > 0)); then
    [[ $1 =~ ^[0-9]+$ ]] || die "not a number of seconds: $1"
    seconds=$1
  fi
  with_lock need_packages build fuzz
  with_lock build fuzz OFF "${names[@]/#/fuzz_}"
  for name in "${names[@]}"; do
    say "fuzzing $name for $seconds s"
    fuzz_one "$name" "$seconds" || failed+=("$name")
  done
  ((${#failed[@]} == 0)) || die "found something in: ${failed[*]}; the inputs are in tests/fuzz/corpus"
  say "no finding in ${#names[@]} targets, $seconds s each"
}

fuzz_one() {
  local target=$root/build/fuzz/bin/fuzz_$1 kept=$root/tests/fuzz/corpus/$1 work=$root/build/fuzz/corpus/$1
  local symbolizer=/usr/lib/llvm-14/bin/llvm-symbolizer
  [[ -x $symbolizer ]] && export ASAN_SYMBOLIZER_PATH=$symbolizer UBSAN_SYMBOLIZER_PATH=$symbolizer
  mkdir -p "$kept" "$work"
  "$target" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$kept/" "$work" "$kept" >&2 || return 1
  "$target" -merge=1 "$kept" "$work" >&2
}
