# Part of ./inkstone: which Debian packages are needed for what, and their installation.
# Asked for by group, so that somebody who only wants an answer does not install a fuzzer. Says every name and its
# reason before it touches the system. Elsewhere than on Debian it names what is needed and installs nothing.
# shellcheck shell=bash disable=SC2154  # root, say and die come from ./inkstone

package_table='
build g++                the compiler (C++20)
build cmake              describes the build
build ninja-build        runs the build
build pkg-config         finds the libraries
build nlohmann-json3-dev reads and writes JSON
build libcli11-dev       reads the command line
build libutf8proc-dev    Unicode normalisation for the tokenizer
build libedit-dev        line editing in chat
build libsqlite3-dev     keeps timers, notes and the state of the home through a power cut
build libgmp-dev         exact fractions for the calculator (Debian 12 has no libmpdec)
build libsystemd-dev     speaks D-Bus: notifications and media players
build libboost1.81-dev   HTTP for serve, HTTP and WebSocket for inkstone-connect (Beast: all in one, kept for ten years)
build libssl-dev         TLS for inkstone-connect
test  libgtest-dev       runs the unit tests
test  python3            runs the checks of the source in tools/lint
test  dbus-daemon        a session bus of its own for the tests of media players
lint  clang-format-14    checks the formatting
lint  clang-tidy-14      looks for mistakes that compilers let pass
fuzz  clang-14           the compiler with libFuzzer
fuzz  libclang-rt-14-dev the sanitizers of that compiler
fuzz  llvm-14            names the lines in the reports of the sanitizers
'

# need_packages GROUP…: returns when all packages of these groups are installed; otherwise says why not and exits.
need_packages() {
  local group name reason list wanted=() missing=()
  while read -r group name reason; do
    [[ -n $group && " $* " == *" $group "* ]] || continue
    wanted+=("$name")
  done <<<"$package_table"

  local groups=$*
  local checked=$root/build/.packages-${groups// /-}
  if [[ -f $checked && ! /var/lib/dpkg/status -nt $checked && $(<"$checked") == "${wanted[*]}" ]]; then return; fi

  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    go_on_without_installing "this is not a Debian system, so nothing is installed for you" "${wanted[@]}"
  else
    list=$'\n'$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)$'\n'
    for name in "${wanted[@]}"; do
      [[ $list == *$'\n'"$name installed"$'\n'* ]] || missing+=("$name")
    done
    if ((${#missing[@]} > 0)); then
      if [[ ${INKSTONE_INSTALL:-} == no ]]; then
        go_on_without_installing "INKSTONE_INSTALL=no, so nothing is installed" "${missing[@]}"
      else
        install_packages "${missing[@]}"
      fi
    fi
  fi
  mkdir -p "$root/build"
  printf '%s\n' "${wanted[*]}" >"$checked"
}

# list_packages NAME…: the names with their reasons, one a line.
list_packages() {
  local group name reason
  while read -r group name reason; do
    [[ -n $group && " $* " == *" $name "* ]] && printf '  %-20s %s\n' "$name" "$reason" >&2
  done <<<"$package_table"
  return 0
}

go_on_without_installing() {
  say "$1; needed are (Debian names):"
  list_packages "${@:2}"
  local tool absent=()
  for tool in cmake ninja "${CXX:-c++}"; do
    command -v "$tool" >/dev/null || absent+=("$tool")
  done
  ((${#absent[@]} == 0)) || die "not found: ${absent[*]}; install the list above, then call again"
  say "cmake, ninja and ${CXX:-c++} are there, so going on"
}

install_packages() {
  local as_root=()
  say "about to install ${#} packages with apt-get:"
  list_packages "$@"
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      die "that needs root, and there is no sudo; as root: apt-get install --no-install-recommends $*"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  # A simulation needs neither root nor the network: it tells whether the package lists are there at all.
  local updated=no
  if ! apt-get -qq --simulate --no-install-recommends install "$@" >/dev/null 2>&1; then
    "${apt[@]}" update >&2 || die "apt-get update failed; above is why"
    updated=yes
  fi
  if ! "${apt[@]}" install -y --no-install-recommends "$@" >&2; then
    [[ $updated == no ]] || die "the packages could not be installed; above is why"
    say "trying again with fresh package lists"
    "${apt[@]}" update >&2 || die "apt-get update failed; above is why"
    "${apt[@]}" install -y --no-install-recommends "$@" >&2 ||
      die "the packages could not be installed; above is why"
  fi
}

# ./inkstone install GROUP…
door_install() {
  local group
  (($# > 0)) || die "install what? There are build, test, lint, fuzz"
  for group in "$@"; do
    [[ $group =~ ^(build|test|lint|fuzz)$ ]] || die "no such group: $group; there are build, test, lint, fuzz"
  done
  with_lock need_packages "$@"
}
