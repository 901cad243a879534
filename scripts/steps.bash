# Sourced by the other scripts: progress, and where the tools are.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit
tools=$root/target/tools
export PATH="$tools/bin:$PATH"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' plain=$'\e[0m'
else
  bold='' plain=''
fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# "6 min 12 s" since the script began.
took() { printf '%d min %02d s' $((SECONDS / 60)) $((SECONDS % 60)); }
