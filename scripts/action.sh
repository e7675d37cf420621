#!/bin/bash
# The step behind action.yml: runs `yarn-patch lint` with the action's inputs, which come as INPUT_… variables.
#
# Leaves as outputs `exit-code` and, for a format that is a document, `report`, the file it was written to. Installs the
# wheel that the input names, into a folder of its own, only where there is no command yet.
set -euo pipefail

fail() {
  echo "::error title=yarn-patch::$1"
  exit 2
}
put() { echo "$1=$2" >>"${GITHUB_OUTPUT:-/dev/null}"; }

command=$(command -v "${INPUT_COMMAND:-yarn-patch}" || true)
if [ -z "$command" ]; then
  [ -n "${INPUT_WHEEL:-}" ] || fail "there is no command ${INPUT_COMMAND:-yarn-patch}: install it in a step before, or name its wheel"
  place=${RUNNER_TEMP:-$(mktemp -d)}/yarn-patch
  python3 -m venv "$place"
  "$place/bin/pip" install --quiet --no-index --no-deps "$INPUT_WHEEL"
  command=$place/bin/yarn-patch
fi

format=${INPUT_FORMAT:-github}
case $format in
  text | github) report='' ;;
  json | sarif) report=${INPUT_REPORT:-yarn-patch.$format} ;;
  junit) report=${INPUT_REPORT:-yarn-patch.xml} ;;
  *) fail "there is no format $format: text, json, sarif, github or junit" ;;
esac

paths=()
arguments=(--format "$format")
for option in serve-length profile select ignore fail-on baseline; do
  name=INPUT_${option^^}
  name=${name//-/_}
  [ -z "${!name:-}" ] || arguments+=("--$option" "${!name}")
done
# One path a line, so that a name may hold spaces.
while IFS= read -r path; do
  [ -z "$path" ] || paths+=("$path")
done <<<"${INPUT_PATHS:-.}"

code=0
if [ -n "$report" ]; then
  "$command" lint "${arguments[@]}" -- "${paths[@]}" >"$report" || code=$?
  put report "$report"
else
  "$command" lint "${arguments[@]}" -- "${paths[@]}" || code=$?
fi
put exit-code "$code"
exit "$code"
