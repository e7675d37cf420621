#!/bin/sh
# Kills the real command at random moments, and cuts the power of real file systems while it works; then `recover`.
set -eu
cd "$(dirname "$0")/.."
exec python3 scripts/crash "$(swift build -c release --show-bin-path)/yarn-patch" "$@"
