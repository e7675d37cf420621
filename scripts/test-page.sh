#!/bin/sh
# The page of `yarn-patch report` in the real browser: installs chromium, its driver and selenium, then runs scripts/page.
set -eu
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
  as_root=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "install chromium and chromium-driver" >&2; exit 1; }
    as_root=sudo
  fi
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium chromium-driver fonts-dejavu-core python3-venv
fi
python=.build/page-venv/bin/python
if ! "$python" -c "import selenium" 2>/dev/null; then
  python3 -m venv .build/page-venv
  "$python" -m pip install --quiet "selenium>=4.20,<5"
fi

exec "$python" scripts/page "$(swift build -c release --show-bin-path)/yarn-patch"
