"""Lint of 10,000 model folders, beside a Python loop that loads each with transformers' AutoConfig.

    linting.py COMMAND [PYTHON]

COMMAND is the built yarn-patch, PYTHON an interpreter that has transformers. The folders are written here, from a fixed
seed; the findings that were planted in them are counted first, and a difference fails the run.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from child import Gates, peak, run

MODELS = 10_000
# transformers takes long for all of them, so its time is that of some.
LOADED = 500
# Memory may grow with the list of folders, by their paths, not with what is in them.
GROWTH_EACH = 2 << 10
AUTOCONFIG = """
import os, sys, time
os.environ["HF_HUB_OFFLINE"] = "1"
from transformers import AutoConfig
folders = sys.stdin.read().split("\\n")
AutoConfig.from_pretrained(folders[0])
start = time.perf_counter()
for folder in folders:
    AutoConfig.from_pretrained(folder)
print(time.perf_counter() - start)
"""


def config(generator):
    """A config of a family that transformers knows, and whether the trained length is missing."""
    family = generator.choice(["llama", "qwen2", "qwen3", "mistral"])
    original = generator.choice([4096, 8192, 32768])
    factor = generator.choice([1, 2, 4, 8])
    heads = generator.choice([16, 32, 64])
    members = {
        "architectures": [{"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
                           "mistral": "MistralForCausalLM"}[family]],
        "model_type": family, "hidden_size": heads * 128, "head_dim": 128, "num_attention_heads": heads,
        "num_key_value_heads": 8, "num_hidden_layers": generator.randrange(16, 80), "intermediate_size": heads * 384,
        "vocab_size": 32000, "rms_norm_eps": 1e-6, "max_position_embeddings": original * factor,
        "rope_theta": float(generator.choice([10000, 500000, 1000000])), "torch_dtype": "bfloat16",
    }  # fmt: skip
    planted = False
    if factor > 1:
        members["rope_scaling"] = {"rope_type": "yarn", "factor": float(factor)}
        planted = generator.random() < 0.05
        if not planted:
            members["rope_scaling"]["original_max_position_embeddings"] = original
    return members, planted


def write(folder):
    """The folders, and how many of the first thousand and of all lack a trained length."""
    generator = random.Random("10,000 models")
    folders, planted = [], []
    for i in range(MODELS):
        place = folder / f"organisation-{i % 97:02}" / f"model-{i:05}"
        place.mkdir(parents=True)
        members, isPlanted = config(generator)
        (place / "config.json").write_text(json.dumps(members, indent=2))
        (place / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
        folders.append(place)
        planted.append(isPlanted)
    return folders, planted


def main():
    command, *python = sys.argv[1:]
    gates = Gates()
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "models"
        folders, planted = write(tree)
        few = Path(scratch) / "few"
        few.mkdir()
        for folder in folders[:1000]:
            os.symlink(folder, few / folder.name)
        lint = [command, "lint", tree, "--format", "json", "--profile", "advisory"]
        found = json.loads(run(*lint).output)
        missing = sum(finding["rule"] == "YP106" for finding in found["findings"])
        gates.holds("models looked at", found["summary"]["models"] == MODELS, found["summary"]["models"])
        gates.holds("planted findings found", missing == sum(planted), f"{missing} of {sum(planted)}")
        results = [run(*lint) for _ in range(5)]
        best = min(results, key=lambda result: result.seconds)
        print(f"    {MODELS / best.seconds:,.0f} models a second, {best.seconds * 1e3:.0f} ms in all,"
              f" {len(found['findings'])} findings of {found['summary']['files']} files")  # fmt: skip
        share = best.processor / best.seconds
        cores = len(os.sched_getaffinity(0))
        gates.holds("processors used", cores < 2 or share > 1.4, f"{share:.2f} of {cores}")
        small, large = peak(command, "lint", few, "--profile", "advisory"), peak(*lint)
        growth = (large - small) / (MODELS - 1000)
        gates.holds("bytes of memory for each further model", growth < GROWTH_EACH,
                    f"{growth:.0f} ({large / 1e6:.1f} MB for {MODELS}, {small / 1e6:.1f} MB for 1000)")  # fmt: skip
        if not python:
            return gates.failed
        try:
            output = subprocess.run([python[0], "-c", AUTOCONFIG], input="\n".join(map(str, folders[:LOADED])),
                                    capture_output=True, text=True, check=True).stdout  # fmt: skip
        except subprocess.CalledProcessError as error:
            print(f"    SKIP  transformers: {error.stderr.strip().splitlines()[-1]}")
            return gates.failed
        each = float(output) / LOADED
        ratio = each / (best.seconds / MODELS)
        print(f"    AutoConfig.from_pretrained in a loop takes {each * 1e6:.0f} µs a model, lint {best.seconds / MODELS * 1e6:.0f} µs:"
              f" {ratio:.1f} times as fast")  # fmt: skip
        gates.holds("faster than loading each config in Python", ratio > 3, f"{ratio:.1f}")
    return gates.failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
