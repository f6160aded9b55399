#!/usr/bin/env bash
# Makes .venv-checks from requirements-checks.lock (every file checked against its hash): an environment apart for checkov,
# whose dependencies do not go with the workspace's. A second run with nothing changed ends at once. Needs .venv
# (tools/bootstrap.sh), whose Python and pip it uses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV=.venv-checks
STAMP=$VENV/.stamp

say() { printf '%s\n' "checks-env: $*" >&2; }

[ -x .venv/bin/python ] || { say "there is no .venv: run tools/bootstrap.sh first"; exit 1; }
want=$({ .venv/bin/python -c 'import sys; print(sys.version)'; cat requirements-checks.lock tools/checks-env.sh; } \
  | sha256sum | cut -d' ' -f1)
current() { [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$want" ]; }

if current; then exit 0; fi
exec 9<requirements-checks.lock
flock -n 9 || { say "another one of this checkout is running; waiting for it"; flock 9; }
if current; then exit 0; fi
began=$SECONDS
say "installing $(grep -c '^[a-z0-9].*==' requirements-checks.lock) locked packages, each checked against its hash (about a minute)"
rm -rf "$VENV"
.venv/bin/python -m venv --without-pip "$VENV"
.venv/bin/python -m pip --python "$VENV/bin/python" --disable-pip-version-check install -qq \
  --require-hashes -r requirements-checks.lock
printf '%s\n' "$want" >"$STAMP"
say "ready in $((SECONDS - began)) s"
