#!/bin/sh
# A Python wheel with the command inside, in .build/wheel. The command in it carries json-c and the C++ library, and so
# runs on every Linux with the C library of the wheel's tag or a later one.
set -eu
cd "$(dirname "$0")/.."
static=$PWD/.build/static
cc=$(command -v clang || command -v cc || command -v gcc) || { echo "a C compiler is missing: it knows where the archives are" >&2; exit 1; }

# A folder with archives alone, searched before all others: the linker takes what it finds first. The unwinder's archive
# is called for under its shared library's name.
rm -rf "$static" && mkdir -p "$static"
for archive in libjson-c.a:libjson-c.a libstdc++.a:libstdc++.a libgcc_eh.a:libgcc_s.a; do
  file=$("$cc" -print-file-name="${archive%:*}")
  [ -f "$file" ] || { echo "${archive%:*} is missing: install libjson-c-dev and g++" >&2; exit 1; }
  ln -s "$file" "$static/${archive#*:}"
done
cat >"$static/json-c.pc" <<PC
Name: json-c
Description: json-c as an archive
Version: $(pkg-config --modversion json-c)
Cflags: $(pkg-config --cflags json-c)
Libs: -L$static -ljson-c
PC

build() {
  PKG_CONFIG_PATH=$static swift build -c release --static-swift-stdlib --product yarn-patch \
    --explicit-target-dependency-import-check error -Xlinker "-L$static" -Xlinker --strip-all "$@"
}
build
exec python3 scripts/wheel.py "$(build --show-bin-path)/yarn-patch" .build/wheel
