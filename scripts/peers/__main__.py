"""Tests patched files with the readers that people use: llama.cpp, gguf-py, safetensors, transformers.

    python scripts/peers COMMAND STANDARD_MODEL

Prints what was measured; the exit code is 1 when anything does not hold. `scripts/test-peers.sh` installs the readers.
"""

import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"  # all files are here; a look-up would be a mistake

import containers
import factors
import first_layer
import hugging_face
import llama
import weights_report
from bench import Bench

SECTIONS = [
    ("GGUF files in gguf-py", containers.gguf_files),
    ("safetensors files in safetensors", containers.safetensors_files),
    ("the standard model in llama.cpp", llama.standard_model),
    ("each strategy in llama.cpp", llama.strategies),
    ("factor 1 in llama.cpp", llama.factor_one),
    ("a split set in llama.cpp", llama.split_set),
    ("held-out text in llama.cpp", llama.held_out),
    ("frequencies as factors in llama.cpp", factors.all_checks),
    ("the tiny model in transformers", hugging_face.tiny_model),
    ("configurations in transformers", hugging_face.configurations),
    ("first layers in transformers and gguf-py", first_layer.first_layers),
    ("reports of first layers", weights_report.reports),
]


def main():
    command, standard_model = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="yarn-patch-peers-") as folder:
        bench = Bench(command, standard_model, folder)
        for title, checks in SECTIONS:
            bench.section(title, checks)
    return 0 if bench.summary() else 1


sys.exit(main())
