#!/bin/sh
# The forecast of large files beside the Python runtimes' own time, if `make test-peers` has installed those.
set -eu
cd "$(dirname "$0")/.."
python=${YARN_PATCH_PEERS:-.build/peers}/venv/bin/python
if [ ! -x "$python" ]; then
  echo "The Python runtimes are not here, so only yarn-patch is measured. To install them: make test-peers" >&2
  python=
fi
exec python3 Benchmarks/forecast.py "$(swift build -c release --static-swift-stdlib --show-bin-path)/yarn-patch" $python
