#!/usr/bin/env bash
# Makes .venv from requirements.lock (every file checked against its hash) and installs this repository's packages in it,
# editable. A second run with nothing changed ends at once. Works as root and as an ordinary user, also on a Debian
# whose python3 has no ensurepip (package python3-venv not installed): then pip comes from Debian's python3-pip-whl,
# fetched and verified by apt with a private state, nothing installed on the system.
#   PYTHON=/path/to/python tools/bootstrap.sh      chooses the interpreter (3.11 to 3.13)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV=.venv
STAMP=$VENV/.bootstrap-stamp

say() { printf '%s\n' "bootstrap: $*" >&2; }
die() { say "$*"; exit 1; }

works() { # does this interpreter run, and is it 3.11, 3.12 or 3.13? (a pyenv shim may exist and fail)
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

choose_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    works "$PYTHON" || die "PYTHON=$PYTHON does not run or is not Python 3.11 to 3.13"
    printf '%s\n' "$PYTHON"; return
  fi
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && works "$candidate"; then printf '%s\n' "$candidate"; return; fi
  done
  die "no Python 3.11 to 3.13 found (Debian 12: apt install python3), or set PYTHON"
}

package_dirs() { # this repository's packages, those that exist
  local dir
  for dir in proto/gen chassis cli clients/* tools/* services/*; do
    if [ -f "$dir/pyproject.toml" ]; then printf '%s\n' "$dir"; fi
  done
}

fingerprint() { # of all that decides what .venv holds
  { printf '%s\n' "$1" "$PWD"
    "$1" -c 'import sys; print(sys.version)'
    cat requirements.lock tools/bootstrap.sh
    package_dirs | while read -r dir; do printf '%s\n' "$dir"; cat "$dir/pyproject.toml"; done
  } | sha256sum | cut -d' ' -f1
}

pip_wheel() { # path of a verified pip wheel from Debian, for a Python without ensurepip
  local system work=$VENV/.pip-from-debian apt=$PWD/$VENV/.pip-from-debian/apt
  for system in /usr/share/python-wheels/pip-*.whl; do
    if [ -f "$system" ]; then printf '%s\n' "$system"; return; fi
  done
  command -v apt-get >/dev/null || die "this Python has no ensurepip and this machine has no apt: install python3-venv"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial}
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1
                 -o "APT::Sandbox::User=$( [ "$(id -u)" = 0 ] && echo root || true )" -o Acquire::Languages=none)
  (cd "$work" && apt-get "${options[@]}" update >&2 && apt-get "${options[@]}" download python3-pip-whl >&2) \
    || die "cannot fetch python3-pip-whl with apt: install python3-venv"
  dpkg-deb -x "$work"/python3-pip-whl_*.deb "$work/unpacked"
  printf '%s\n' "$PWD/$work/unpacked/usr/share/python-wheels"/pip-*.whl
}

make_venv() {
  say "creating $VENV with $("$1" --version 2>&1) ($1)"
  rm -rf "$VENV"
  if "$1" -m venv "$VENV" >/dev/null 2>&1 && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
  say "this Python has no ensurepip: taking pip from Debian's package python3-pip-whl"
  rm -rf "$VENV"
  "$1" -m venv --without-pip "$VENV" || die "$1 cannot make a virtual environment"
  local wheel; wheel=$(pip_wheel)
  "$VENV/bin/python" "$wheel/pip" --version >/dev/null || die "the pip wheel $wheel does not run"
  "$VENV/bin/python" "$wheel/pip" install -q --no-index --no-deps "$wheel" 2>/dev/null \
    || cp -r "$(dirname "$wheel")" "$VENV/.wheels"
  rm -rf "$VENV/.pip-from-debian"
}

main() {
  local python want began=$SECONDS
  python=$(choose_python)
  want=$(fingerprint "$python")
  if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$want" ] && [ -x "$VENV/bin/python" ]; then return; fi
  exec 9<requirements.lock
  flock -n 9 || { say "another bootstrap of this checkout is running; waiting for it"; flock 9; }
  if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$want" ]; then return; fi
  local current=""
  if [ -f "$VENV/.python" ] && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then current=$(cat "$VENV/.python"); fi
  if [ "$current" != "$("$python" -c 'import sys; print(sys.executable, sys.version)')" ]; then make_venv "$python"; fi
  rm -f "$STAMP"
  local pip=("$VENV/bin/python" -m pip --disable-pip-version-check install -qq) locked
  locked=$(sha256sum < requirements.lock)
  if [ ! -f "$VENV/.locked" ] || [ "$(cat "$VENV/.locked")" != "$locked" ]; then
    say "installing $(grep -c '^[a-z0-9].*==' requirements.lock) locked packages, each checked against its hash (about a minute)"
    "${pip[@]}" --require-hashes -r requirements.lock
    printf '%s\n' "$locked" > "$VENV/.locked"
  fi
  local dirs=() dir
  while read -r dir; do dirs+=(-e "$dir"); done < <(package_dirs)
  if [ ${#dirs[@]} -gt 0 ]; then
    say "installing this repository's $(( ${#dirs[@]} / 2 )) packages, editable"
    "${pip[@]}" --no-deps --no-build-isolation "${dirs[@]}"
  fi
  "$python" -c 'import sys; print(sys.executable, sys.version)' > "$VENV/.python"
  printf '%s\n' "$want" > "$STAMP"
  say "ready in $((SECONDS - began)) s"
}

main "$@"
