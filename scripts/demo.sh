#!/bin/sh
# The main job on the trained model in fixtures: read it, extend its context from 256 to 1024 tokens, prove it, undo it.
set -eu
cd "$(dirname "$0")/.."
command=$(swift build -c release --show-bin-path)/yarn-patch
model=.build/demo-model
rm -rf "$model"
cp -R fixtures/models/tiny-llama-ctx256 "$model"

show() {
  printf '\n$ yarn-patch %s\n' "$*"
  "$command" "$@"
}

show inspect "$model"
show patch "$model" --context 1024
show table "$model" | head -n 12
show verify "$model" --context 1024 --against fixtures/models/tiny-llama-ctx256
show undo "$model"
diff -r "$model" fixtures/models/tiny-llama-ctx256
printf '\nthe model is byte for byte what it was\n'
