"""How much memory a first layer of a 70-billion-parameter shape takes to look at: `verify --attention weights`.

    weights.py COMMAND

COMMAND is the built yarn-patch. The weights are holes in files, which take no room on the disk; queries of zero weigh all
keys alike, so the answer is known. Seconds are told and gate nothing.
"""

import json
import math
import struct
import sys
import tempfile
from pathlib import Path

from child import Gates, peak, run

WIDTH, HEADS, KEY_HEADS, LANES, VOCABULARY, WINDOW = 8192, 64, 8, 128, 128_256, 131_072
ORIGINAL, FACTOR = 8192, 16.0
MEMORY = 512 << 20
ERROR = 1e-4  # of an entropy in nats


def sparse(path, header, size):
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + size)
    return path


def gguf(path, kind, block, values):
    """A Llama's first layer with matrices of one type: `block` bytes for each `values` numbers."""

    def text(content):
        return struct.pack("<Q", len(content)) + content.encode()

    integers = {
        "context_length": WINDOW, "embedding_length": WIDTH, "block_count": 80, "attention.head_count": HEADS,
        "attention.head_count_kv": KEY_HEADS, "rope.dimension_count": LANES,
        "rope.scaling.original_context_length": ORIGINAL}  # fmt: skip
    floats = {"attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 500_000, "rope.scaling.factor": FACTOR}
    entries = [text("general.architecture") + struct.pack("<I", 8) + text("llama")]
    entries.append(text("llama.rope.scaling.type") + struct.pack("<I", 8) + text("yarn"))
    entries += [text(f"llama.{key}") + struct.pack("<II", 4, value) for key, value in integers.items()]
    entries += [text(f"llama.{key}") + struct.pack("<If", 6, value) for key, value in floats.items()]
    tensors, end = [], 0
    for name, rows in [("token_embd", VOCABULARY), ("blk.0.attn_norm", None), ("blk.0.attn_q", HEADS * LANES),
                       ("blk.0.attn_k", KEY_HEADS * LANES)]:  # fmt: skip
        shape = (WIDTH, rows) if rows else (WIDTH,)
        tensors.append(
            text(f"{name}.weight") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind if rows else 0, end))
        end += WIDTH * rows // values * block if rows else WIDTH * 4
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries)) + b"".join(entries + tensors)
    return sparse(path, header + bytes(-len(header) % 32), end)


def safetensors(folder):
    folder.mkdir()
    scaling = {"rope_type": "yarn", "factor": FACTOR, "original_max_position_embeddings": ORIGINAL}
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH, "vocab_size": VOCABULARY,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS, "num_hidden_layers": 80, "rms_norm_eps": 1e-5,
        "max_position_embeddings": WINDOW, "rope_theta": 500_000.0, "rope_scaling": scaling}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    entries, end = {}, 0
    for name, shape in {
        "embed_tokens": [VOCABULARY, WIDTH], "layers.0.input_layernorm": [WIDTH],
        "layers.0.self_attn.q_proj": [HEADS * LANES, WIDTH], "layers.0.self_attn.k_proj": [KEY_HEADS * LANES, WIDTH],
    }.items():  # fmt: skip
        size = 2 * math.prod(shape)
        entries[f"model.{name}.weight"] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    sparse(folder / "model.safetensors", struct.pack("<Q", len(text)) + text, end)
    return folder


def measure(gates, command, title, model):
    arguments = [command, "verify", model, "--attention", "weights"]
    result = run(*arguments, "--format", "json")
    weights = json.loads(result.output)["weights"]
    lengths = weights["settings"][1]["heads"][0]["lengths"]
    gates.holds(f"{title}: the whole window", lengths[-1]["length"] == WINDOW, f"{lengths[-1]['length']} tokens")
    # Means of the last eight queries of each length.
    off = max(abs(row["entropy"] - sum(math.log(row["length"] - i) for i in range(8)) / 8) for row in lengths)
    gates.holds(f"{title}: all keys weigh alike", off < ERROR, f"{off:.2g} nats off")
    memory = peak(*arguments)
    gates.holds(f"{title}: at most {MEMORY >> 20} MiB", memory <= MEMORY, f"{memory / 2**20:.0f} MiB")
    size = sum(file.stat().st_size for file in (model.iterdir() if model.is_dir() else [model]))
    gates.holds(f"{title}: at most a quarter of these matrices read", result.read <= size / 4,
                f"{result.read / 1e6:,.0f} of {size / 1e6:,.0f} MB")  # fmt: skip
    print(f"    {result.seconds:.1f} s")


def main(command):
    gates = Gates()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        measure(gates, command, "a GGUF in F16", gguf(folder / "half.gguf", 1, 2, 1))
        measure(gates, command, "a GGUF in Q4_K", gguf(folder / "quantised.gguf", 12, 144, 256))
        measure(gates, command, "safetensors in BF16", safetensors(folder / "model"))
    return gates.failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
