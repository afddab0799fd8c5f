# Part of ./inkstone: the test command and lint. `./inkstone test` is a sequence of phases, each of which can be
# asked for by its name; it goes on after a failed phase, so that one run tells everything, and ends with one line.
# shellcheck shell=bash disable=SC2154  # root, say and die come from ./inkstone

# ./inkstone test [PHASE|ROOM…]
door_test() {
  local tally=$root/build/.tally began=$SECONDS phase failed=()
  if (($# > 0)) && [[ $(type -t "test_$1") != function && -d $root/tests/$1 ]]; then
    test_room "$@"
    return
  fi
  (($# > 0)) || set -- unit asan tsan lint page door
  for phase in "$@"; do
    [[ $(type -t "test_$phase") == function && $phase != room ]] ||
      die "no such tests: $phase; there are unit, golden, asan, tsan, lint, page, browser, door, and the folders of tests/"
  done
  with_lock need_packages build test
  : >"$tally"
  for phase in "$@"; do
    local phase_began=$SECONDS status=0
    say "== $phase"
    set +e # a phase runs in a shell of its own, where the first failing command ends it
    (
      set -e
      "test_$phase"
    )
    status=$?
    set -e
    ((status != 130)) || exit 130
    ((status == 0)) || failed+=("$phase")
    say "== $phase: $( ((status == 0)) && echo passed || echo FAILED) after $((SECONDS - phase_began)) s"
  done
  local programs took=$((SECONDS - began))
  programs=$(awk '{ sum += $1 } END { print sum + 0 }' "$tally")
  took="$((took / 60)) min $((took % 60)) s"
  if ((${#failed[@]} > 0)); then die "FAILED: ${failed[*]} ($took)"; fi
  say "all tests passed ($programs programs, $took)"
}

# count N: N more programs have passed.
count() { echo "$1" >>"$root/build/.tally"; }

# run_ctest PRESET [ARGUMENT…]: runs what is built and fails when there is nothing to run.
run_ctest() {
  local folder=$root/build/$1 number
  number=$(ctest --test-dir "$folder" -N "${@:2}" | sed -n 's/^Total Tests: //p')
  ctest --test-dir "$folder" --output-on-failure --no-tests=error --timeout 900 --parallel 2 "${@:2}"
  count "$number"
}

test_unit() {
  with_lock build release ON all
  run_ctest release
}

# What the sanitizers look for shows on the models of tests/golden as well as on larger ones; the numbers of all golden
# folders are compared by the unit phase, many times faster.
test_asan() {
  with_lock build asan ON all
  INKSTONE_GOLDEN=$root/tests/golden run_ctest asan
}

# What has threads in it: programs of tests and the names of their tests. The rest would compute the same in one
# thread, many times slower.
threaded_tests='
base    ThreadPool.*
text    Tokenizer.MayBeUsedFromManyThreads
server  HttpTest.*:Metrics.*
runtime SchedulerTest.*:SessionTest.*:ConstrainedSession.*:SameAnswer.*
'

test_tsan() {
  local room tests rooms=()
  while read -r room tests; do
    [[ -z $room ]] || rooms+=("test_$room")
  done <<<"$threaded_tests"
  with_lock build tsan ON "${rooms[@]}"
  # ThreadSanitizer of GCC 12 cannot live with the wide address randomisation of newer kernels.
  local fixed_addresses=(setarch -R)
  "${fixed_addresses[@]}" true 2>/dev/null || fixed_addresses=()
  while read -r room tests; do
    [[ -n $room ]] || continue
    local program=("${fixed_addresses[@]}" "$root/build/tsan/bin/test_$room" --gtest_filter="$tests")
    [[ -n $("${program[@]}" --gtest_list_tests) ]] || die "no test of $room is called $tests"
    INKSTONE_GOLDEN=$root/tests/golden "${program[@]}"
    count 1
  done <<<"$threaded_tests"
}

# Every test with Golden in its name, against INKSTONE_GOLDEN or the folders named in tests/golden_folder.h. A folder
# that lacks one kind of data skips the tests of that kind, but something must have been compared.
test_golden() {
  with_lock build release ON all
  local test list log=$root/build/.golden passed compared=0 wrong=0
  for test in "$root"/build/release/bin/test_*; do
    list=$("$test" --gtest_filter='*Golden*' --gtest_list_tests)
    [[ -n $list ]] || continue
    "$test" --gtest_filter='*Golden*' | tee "$log" || wrong=1
    passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log")
    compared=$((compared + ${passed:-0}))
    count 1
  done
  ((wrong == 0)) || die "some golden tests failed"
  ((compared > 0)) || die "no golden test found anything to compare with"
  say "$compared golden tests passed"
}

test_lint() {
  with_lock build release ON ink_kernels
  local mistakes=0 check
  for check in include_direction file_rules room_names token_page; do
    python3 "$root/tools/lint/$check.py" "$root" || mistakes=1
  done
  "$root/tools/lint/weak_symbols.sh" "$root/build/release" || mistakes=1
  "$root/tools/lint/shell_scripts.sh" "$root" || mistakes=1
  if command -v clang-format-14 >/dev/null && command -v clang-tidy-14 >/dev/null; then
    python3 "$root/tools/lint/formatting.py" "$root" || mistakes=1
    # Its own list of commands, one for each file: the presets compile groups.
    cmake -S "$root" -B "$root/build/lint/commands" -G Ninja -DCMAKE_BUILD_TYPE=Release -DINKSTONE_TESTS=OFF >/dev/null
    python3 "$root/tools/lint/clang_tidy.py" "$root" "$root/build/lint/commands" || mistakes=1
  else
    say "formatting and clang-tidy are left out: not installed; ./inkstone lint installs them"
  fi
  ((mistakes == 0)) || die "lint found the above"
  count 1
}

# The libraries of the page and of its tests; fails, after saying why, when they are not there.
page_libraries() {
  if ! command -v npm >/dev/null; then
    say "left out: Node.js and npm are not installed"
    return 1
  fi
  cmp -s "$root/web/package-lock.json" "$root/web/node_modules/.lock" && return
  if [[ ${INKSTONE_INSTALL:-} == no ]] || ! (cd "$root/web" && npm ci --no-audit --no-fund --ignore-scripts); then
    say "left out: the page's libraries are not installed (npm ci in web/)"
    return 1
  fi
  cp "$root/web/package-lock.json" "$root/web/node_modules/.lock"
}

# Types, formatting, unit tests, and the proof that the committed web/dist is what the sources give. A build takes web/dist
# as it is, so a machine without Node leaves this out.
test_page() {
  page_libraries || return 0
  cd "$root/web"
  npm run --silent types
  npm run --silent format
  npm test --silent
  npm run --silent check-dist
  count 1
}

# The page in a real Chromium; takes minutes, so it is asked for by name.
test_browser() {
  page_libraries || return 1
  cd "$root/web"
  node e2e/has_chromium.mjs || die "no Chromium (Debian: chromium; or npx playwright install chromium in web/)"
  npm run --silent e2e
  count 1
}

test_door() {
  with_lock build release ON all
  local script
  for script in "$root"/tests/door/*_test.sh; do
    bash "$script"
    count 1
  done
}

# ./inkstone test ROOM [GOOGLETEST FLAG…]
test_room() {
  with_lock need_packages build test
  if [[ $1 == fuzz ]]; then
    with_lock build asan ON all
    run_ctest asan -R '^replay_'
    return
  fi
  compgen -G "$root/tests/$1/*_test.cpp" >/dev/null || die "no tests in tests/$1"
  with_lock build release ON "test_$1"
  "$root/build/release/bin/test_$1" "${@:2}"
}

# ./inkstone lint
door_lint() {
  with_lock need_packages build test lint
  door_test lint
}
