#!/bin/sh
# Installs what building needs besides a Swift toolchain: json-c's headers and archive, and pkg-config.
set -eu

if command -v pkg-config >/dev/null && pkg-config --exists json-c; then
  [ -f "$(pkg-config --variable=libdir json-c)/libjson-c.a" ] ||
    echo "json-c has no archive here: where the command does not link, type make LINK=" >&2
  exit 0
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "json-c's headers and pkg-config are missing: install libjson-c-dev and pkg-config" >&2; exit 1; }
  as_root=sudo
fi
command -v apt-get >/dev/null || { echo "json-c's headers and pkg-config are missing: install them with this system's package manager" >&2; exit 1; }
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libjson-c-dev pkg-config
