#!/usr/bin/env bash
# Tests of the checks in tools/lint: each one passes a small clean repository and names the mistake in a damaged one.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
lint=$here/tools/lint
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1

passed=0
fresh() {
  rm -rf "$work/house"
  mkdir -p "$work"/house/{src/{base,text,tensor,models},docs,tests,tools,pocket,bench,.ci}
  cd "$work/house"
  printf '// A room.\n#pragma once\n' | tee src/base/check.h src/text/chat.h src/tensor/dtype.h src/models/moe.h >/dev/null
  printf '// Uses what is below.\n#include "base/check.h"\n#include "text/chat.h"\n' >src/models/moe.cpp
  # shellcheck disable=SC2016
  printf '1. [`src/text/chat.h`](../src/text/chat.h)\n' >docs/token.md
  printf '#!/bin/sh\n# A script.\necho\n' | tee inkstone .ci/run >/dev/null
  chmod +x inkstone .ci/run
}
finds() { # finds CHECK MISTAKE: the check fails and names the mistake
  local output
  if output=$(python3 "$lint/$1.py" "$work/house") || [[ $output != *"$2"* ]]; then
    printf 'FAILED: %s should have found "%s", and said: %s\n' "$1" "$2" "$output"
    exit 1
  fi
  passed=$((passed + 1))
  fresh
}
accepts() { # accepts CHECK: the check finds nothing
  python3 "$lint/$1.py" "$work/house" >"$work/out" || {
    cat "$work/out"
    echo "FAILED: $1 found something in a clean repository"
    exit 1
  }
  passed=$((passed + 1))
}

test_include_direction() {
  accepts include_direction
  echo '#include "models/moe.h"' >>src/text/chat.h
  finds include_direction "src/text/chat.h: level 1 (text) includes level 3: models/moe.h"
  echo '#include "tensor/dtype.h"' >>src/text/chat.h
  finds include_direction "src/text/chat.h: level 1 (text) includes level 1: tensor/dtype.h"
  printf '#pragma once\n#include "base/check.h"\n' >src/base/half.h
  echo '#include "base/half.h"' >>src/base/check.h
  finds include_direction "includes in a circle"
  mkdir src/helpers && touch src/helpers/list.h
  finds include_direction "src/helpers/list.h: not in a room that the design knows"
  echo '#include "check.h"' >src/base/check.cpp
  finds include_direction '"check.h" should be written from src/'
}

test_file_rules() {
  accepts file_rules
  printf '// A line.\n%.0s' {1..801} >src/text/long.cpp
  finds file_rules "src/text/long.cpp: 801 lines; at most 800"
  printf '// A file.\n// TO%s: more\n' DO >src/text/marked.cpp
  finds file_rules "src/text/marked.cpp: line 2: TO"
  echo 'int x;' >src/text/silent.cpp
  finds file_rules "src/text/silent.cpp: does not open with a comment"
  printf '// A file.\nusing std::vector;\n' >src/text/using.cpp
  finds file_rules "src/text/using.cpp: using vector, and nothing does"
  echo '// A header.' >src/text/twice.h
  finds file_rules "src/text/twice.h: a header without #pragma once"
  echo '// A file.' >src/text/utils.cpp
  finds file_rules "src/text/utils.cpp: a name that says nothing"
  chmod -x inkstone
  finds file_rules "inkstone: a #! line, but not executable"
  echo '// A file.' >src/text/started.cpp && chmod +x src/text/started.cpp
  finds file_rules "src/text/started.cpp: executable without a #! line"
}

test_room_names() {
  local first='namespace ink {\nnamespace {\nint twice(int a) {\n  return a;\n}\n}  // namespace\n}\n'
  # shellcheck disable=SC2059
  printf "$first" | tee src/text/one.cpp >src/tensor/one.cpp
  accepts room_names
  # shellcheck disable=SC2059
  printf "$first" >src/text/two.cpp
  finds room_names "src/text/two.cpp: twice(int) is also in src/text/one.cpp"
}

test_token_page() {
  accepts token_page
  rm src/text/chat.h
  finds token_page "docs/token.md: no such file: src/text/chat.h"
  echo 'See [the rules](RULES.md).' >README.md
  finds token_page "README.md: no such file: RULES.md"
}

test_weak_symbols() {
  local folder=$work/build/CMakeFiles/ink_kernels.dir/src/kernels/x86
  mkdir -p "$folder"
  echo 'namespace ink { static int f(int a) { return a; } int install_avx2(int a) { return f(a); } }' >"$work/good.cpp"
  g++ -c -O1 "$work/good.cpp" -o "$folder/avx2_good.cpp.o"
  "$lint/weak_symbols.sh" "$work/build" >/dev/null
  echo 'template <class T> T twice(T a) { return a + a; } template int twice<int>(int);' >"$work/bad.cpp"
  g++ -c -O1 "$work/bad.cpp" -o "$folder/avx2_bad.cpp.o"
  if "$lint/weak_symbols.sh" "$work/build" >"$work/out" || ! grep -q 'avx2_bad.*twice' "$work/out"; then
    echo "FAILED: weak_symbols.sh should have found the template"
    exit 1
  fi
  rm "$folder"/*.o
  if "$lint/weak_symbols.sh" "$work/build" >"$work/out"; then
    echo "FAILED: weak_symbols.sh should refuse to pass when there is nothing to look at"
    exit 1
  fi
  passed=$((passed + 3))
}

test_shell_scripts() {
  "$lint/shell_scripts.sh" "$work/house" >/dev/null
  echo 'if then' >tools/broken.sh
  if "$lint/shell_scripts.sh" "$work/house" >/dev/null 2>&1; then
    echo "FAILED: shell_scripts.sh should have found the broken script"
    exit 1
  fi
  passed=$((passed + 2))
}

fresh
test_include_direction
test_file_rules
test_room_names
test_token_page
fresh
test_weak_symbols
test_shell_scripts
echo "lint: $passed checks passed"
