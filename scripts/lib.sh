# Shared by the scripts, which source it first: goes to the project's root, and puts the project's own tools on PATH.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"

# step TEXT: say what happens next.
step() { printf '\n==> %s\n' "$*"; }

# die TEXT…: say what is wrong and what to do about it, one line each, and stop.
die() {
  printf '%s\n' "$@" >&2
  exit 2
}
