#!/bin/sh
# A gate before a model is served.
#
#   predeploy.sh MODEL --runtime R --serve-length N
#
# Exits with 0 only when runtime R serves N tokens from these files with the table that they ask for: no rule finds an
# error that concerns R, and R's own reading has the frequencies, the magnitude and the window of the published equations.
# YARN_PATCH names the command where it is not on the path.
set -u

usage() {
  echo "usage: predeploy.sh MODEL --runtime R --serve-length N" >&2
  exit 64
}

model='' runtime='' length=''
while [ $# -gt 0 ]; do
  case $1 in
    --runtime) [ $# -gt 1 ] || usage; runtime=$2; shift 2 ;;
    --serve-length) [ $# -gt 1 ] || usage; length=$2; shift 2 ;;
    -*) usage ;;
    *) [ -z "$model" ] || usage; model=$1; shift ;;
  esac
done
[ -n "$model" ] && [ -n "$runtime" ] && [ -n "$length" ] || usage
command=${YARN_PATCH:-yarn-patch}

"$command" lint "$model" --profile "$runtime" --serve-length "$length"
lint=$?
"$command" verify "$model" --runtime "$runtime" --runtime formula --context "$length"
verify=$?
# The graver of the two: wrong usage, could not look, no.
for code in 64 2 1; do
  if [ $lint -eq $code ] || [ $verify -eq $code ]; then exit $code; fi
done
[ $lint -eq 0 ] && [ $verify -eq 0 ]
