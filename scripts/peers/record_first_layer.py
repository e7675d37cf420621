"""Records the scores of transformers' first layers: fixtures/weights/first-layer.json.

    .build/peers/venv/bin/python scripts/peers/record_first_layer.py

A small model of each family, with weights from a formula that the test knows as well (`number`), and the tiny trained
model. A score is `q·k` behind rotation, times the softmax scale: of the last position with every position, head by head.
"""

import importlib
import json

import numpy
import torch
import transformers
from bench import FIXTURES, ROOT, TINY

SHAPE = dict(vocab_size=24, hidden_size=36, intermediate_size=40, num_hidden_layers=1, num_attention_heads=3,
             num_key_value_heads=1, max_position_embeddings=64, rope_theta=10000.0, rms_norm_eps=1e-5, pad_token_id=0,
             bos_token_id=1, eos_token_id=2, tie_word_embeddings=False)
WIDE = dict(hidden_size=48)
LATENT = dict(num_key_value_heads=3, kv_lora_rank=16, qk_nope_head_dim=10, qk_rope_head_dim=6, v_head_dim=8,
              first_k_dense_replace=1, rms_norm_eps=1e-6)
PLAIN = dict(rope_type="default", rope_theta=10000.0)
# Name, family, settings, rotating lanes.
CASES = [
    ("llama", "llama", dict(attention_bias=True), 12),
    ("mistral, wider heads", "mistral", dict(head_dim=16, sliding_window=None), 16),
    ("qwen2", "qwen2", {}, 12),
    ("qwen3", "qwen3", dict(head_dim=16), 16),
    ("phi3", "phi3", {}, 12),
    ("gemma", "gemma", dict(head_dim=16), 16),
    ("gemma2", "gemma2", dict(head_dim=16, query_pre_attn_scalar=20, attn_logit_softcapping=30.0), 16),
    ("gemma3", "gemma3_text", dict(head_dim=16, query_pre_attn_scalar=20), 16),
    ("olmo2", "olmo2", {}, 12),
    ("olmo3", "olmo3", dict(rope_theta=500000.0), 12),  # its sliding layers have this one, whatever is stated
    ("granite", "granite", dict(embedding_multiplier=3.0, attention_multiplier=0.2), 12),
    ("smollm3", "smollm3", {}, 12),
    ("seed_oss", "seed_oss", dict(head_dim=16), 16),
    ("arcee", "arcee", {}, 12),
    ("stablelm", "stablelm", WIDE | dict(partial_rotary_factor=0.25, layer_norm_eps=1e-5, use_qkv_bias=True), 4),
    ("starcoder2", "starcoder2", dict(norm_epsilon=1e-5, use_bias=True), 12),
    ("phi", "phi", WIDE | dict(partial_rotary_factor=0.5, layer_norm_eps=1e-5), 8),
    ("gpt_neox", "gpt_neox", WIDE | dict(rotary_pct=0.25, layer_norm_eps=1e-5, num_key_value_heads=None), 4),
    ("cohere", "cohere", dict(layer_norm_eps=1e-5), 12),
    ("cohere2", "cohere2", dict(layer_norm_eps=1e-5, head_dim=12), 12),
    ("gpt_oss", "gpt_oss", dict(head_dim=16, num_local_experts=2, num_experts_per_tok=1, rope_parameters=PLAIN), 16),
    ("deepseek_v2", "deepseek_v2", LATENT | dict(q_lora_rank=None), 6),
    ("deepseek_v3", "deepseek_v3", LATENT | dict(q_lora_rank=20, rope_interleave=True), 6),
    ("deepseek_v3, halves", "deepseek_v3", LATENT | dict(q_lora_rank=20, rope_interleave=False), 6),
]


def numbers(name, count):
    """SplitMix64 seeded with FNV-1a of the name, its upper 16 bits within half of 0; of 1 for a norm's weight."""
    mask, state = (1 << 64) - 1, 0xcbf29ce484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001b3 & mask
    values = []
    for _ in range(count):
        state = state + 0x9e3779b97f4a7c15 & mask
        z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9 & mask
        z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
        values.append(((z ^ z >> 31) >> 48) / 65536 - 0.5 + (name.endswith("norm.weight")))
    return values


def fill(model):
    state = {name: torch.tensor(numbers(name, tensor.numel())).reshape(tensor.shape)
             for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
    model.load_state_dict(state)


def first_heads(model, tokens):
    """Queries and keys behind rotation, [head][position][lane] in double precision, and the scale of their products."""
    module = importlib.import_module(type(model).__module__)
    theirs, seen = module.eager_attention_forward, []

    def keep(layer, query, key, value, mask, scaling, **options):
        seen.append((query[0].double(), key[0].double(), scaling))
        return theirs(layer, query, key, value, mask, scaling=scaling, **options)

    module.eager_attention_forward = keep
    try:
        with torch.no_grad():
            model(torch.tensor([tokens]))
    finally:
        module.eager_attention_forward = theirs
    return seen[0]


def first_scores(model, tokens):
    """Scores of the last position, [head][position], and the first lanes: head 0 at position 0, which does not turn."""
    query, key, scaling = first_heads(model, tokens)
    shared = query.shape[0] // key.shape[0]
    scores = [(key[head // shared] @ query[head, -1] * scaling).tolist() for head in range(query.shape[0])]
    return scores, query[0, 0].tolist(), key[0, 0].tolist()


def recorded(model, tokens, **more):
    scores, query, key = first_scores(model, tokens)

    def short(values):
        return [float(f"{value:.9g}") for value in values]

    return more | {"tokens": tokens, "scores": [short(row) for row in scores], "query": short(query), "key": short(key)}


def case(name, family, settings, rotary):
    settings = {key: value for key, value in (SHAPE | settings).items()}
    config = transformers.AutoConfig.for_model(family, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    fill(model.eval())
    tensors = {name: list(tensor.shape) for name, tensor in model.state_dict().items()
               if "embed_" in name or "layers.0." in name and ("attention." in name or "attn." in name or "input_" in name)}
    stated = {key: value for key, value in settings.items() if not isinstance(value, (dict, type(None)))} | {"model_type": family}
    tokens = [(7 * i * i + 3 * i) % SHAPE["vocab_size"] for i in range(20)]
    return recorded(model, tokens, name=name, config=stated, tensors=tensors, rotaryDimension=rotary)


def tiny():
    """The trained model, for both of its files."""
    model = transformers.AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32, attn_implementation="eager")
    return recorded(model.eval(), list((ROOT / "LICENSE").read_bytes()[:48]))


def main():
    transformers.utils.logging.disable_progress_bar()
    families = []
    for description in CASES:
        families.append(case(*description))
        print(description[0], numpy.abs(families[-1]["scores"]).max())
    text = json.dumps({"families": families, "tiny": tiny()}, separators=(",", ":"))
    text = text.replace('{"name"', '\n{"name"').replace('"tiny":', '\n"tiny":').replace("[[", "\n[[")
    (FIXTURES / "weights").mkdir(exist_ok=True)
    (FIXTURES / "weights/first-layer.json").write_text(text + "\n")
    print(f"fixtures/weights/first-layer.json: {len(text)} bytes")


if __name__ == "__main__":
    main()
