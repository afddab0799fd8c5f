#!/usr/bin/env bash
# Parses every shell script, and has shellcheck look at them where it is installed.
# shell_scripts.sh REPOSITORY
set -euo pipefail

cd "$1"
mapfile -t scripts < <(find inkstone .ci tools tests pocket bench -path '*/corpus/*' -prune -o \
  -type f \( -name '*.sh' -o -path inkstone -o -path .ci/run \) -print | sort)
for script in "${scripts[@]}"; do
  bash -n "$script"
done
if command -v shellcheck >/dev/null; then
  shellcheck "${scripts[@]}"
fi
echo "shell scripts: clean (${#scripts[@]} scripts)"
