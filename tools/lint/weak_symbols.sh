#!/usr/bin/env bash
# Law 3: an object compiled for one instruction set exports nothing but its install function. A weak symbol (an
# inline function or a template of a shared header) could be the copy that the linker hands to a plain caller: an
# illegal instruction on an older processor, decided by link order.
# weak_symbols.sh BUILD_FOLDER looks at the objects of src/kernels/x86 and arm, except for the *_tables.cpp there:
# those only ask the processor what it can do and are compiled without any instruction set.
set -euo pipefail

folder=$1/CMakeFiles/ink_kernels.dir/src/kernels
objects=()
for object in "$folder"/{x86,arm}/*.o; do
  [[ -f $object && $object != *_tables.cpp.o ]] && objects+=("$object")
done
if ((${#objects[@]} == 0)); then
  echo "weak symbols: no object of an instruction set in $folder"
  exit 1
fi

# nm prints "address type name"; V, W, u and v, w with an address are weak or unique definitions.
mistakes=$(nm -A -C --defined-only --extern-only "${objects[@]}" | sed "s|^$folder/||" |
  awk '{ type = $2 } type !~ /^[TDRBVWuvwi]$/ || type != "T" || !/install/')
if [[ -n $mistakes ]]; then
  echo "$mistakes"
  echo "weak symbols: only install may be exported from an instruction-set file"
  exit 1
fi
echo "weak symbols: clean (${#objects[@]} objects)"
