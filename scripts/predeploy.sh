#!/bin/sh
# A gate before a model is served.
#
#   predeploy.sh MODEL --runtime R --serve-length N
#
# Exits with 0 only when runtime R serves N tokens from these files with the table that they ask for: no rule finds an
# error that concerns R, the window covers N, and R's own reading has the frequencies, the magnitude and the window of the
# published equations. Exits with 1 when it does not, 2 when the files could not be judged, 64 on wrong usage.
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
# These are no runtimes: the equations would be compared with themselves, and profiles name several.
case $runtime in formula | portable | strict | advisory) usage ;; esac

# Goes on with yes and no; without an answer there is nothing to gate on.
ask() {
  "${YARN_PATCH:-yarn-patch}" "$@"
  code=$?
  case $code in
    0) ;;
    1) answer=1 ;;
    64) exit 64 ;;
    *) exit 2 ;;
  esac
}

answer=0
ask lint "$model" --profile "$runtime" --serve-length "$length"
ask verify "$model" --runtime "$runtime" --runtime formula --context "$length"
if [ $answer = 0 ]; then
  echo "$runtime serves $length tokens from $model"
else
  echo "$runtime does NOT serve $length tokens from $model as its files ask"
fi
exit $answer
