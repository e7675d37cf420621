"""Patched folders and config.json files in transformers."""

import importlib
import logging
import math
import warnings
from contextlib import contextmanager

import llama
import torch
import transformers
from bench import FIXTURES, TINY, TINY_GGUF, worst_difference

# Four units in the last place of float32, in which transformers computes.
BOUND = 5e-7
transformers.utils.logging.disable_progress_bar()


@contextmanager
def warned():
    """Collects every Python warning and every record of transformers' loggers from WARNING on."""
    said = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("transformers")
    logging.Logger.warning_once.cache_clear()  # or a second warning of the same text would be lost
    usual, logger.handlers = logger.handlers, [handler]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
            said += [str(warning.message) for warning in caught]
    finally:
        logger.handlers = usual


def table(bench, model, *options):
    """Layer type, `None` if there is one table for all, to what `table` prints."""
    return {entry["layerType"]: entry for entry in bench.json("table", model, *options)["tables"]}


# A model that runs


def tiny_model(bench):
    """Each method in the whole model: loads silently, states what was asked, computes our table."""
    plain = 10000.0
    for options, parameters, window in [
        ("--factor 4", dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=256), 1024),
        ("--factor 4 --attention-factor 1.2", dict(rope_type="yarn", attention_factor=1.2), 1024),
        ("--factor 4 --method ntk-by-parts", dict(rope_type="yarn", attention_factor=1.0), 1024),
        ("--factor 4 --method linear", dict(rope_type="linear", factor=4.0), 256),
        ("--factor 4 --method dynamic", dict(rope_type="dynamic", factor=4.0), 256),
        ("--factor 4 --method ntk", dict(rope_type="default", rope_theta=plain * 4 ** (64 / 62)), 1024),
        ("--factor 4 --base 20000", dict(rope_type="yarn", rope_theta=20000.0), 1024),
        ("--method none", dict(rope_type="default", rope_theta=plain), 256),
    ]:
        folder = bench.copy(TINY)
        if "dynamic" in options:
            (folder / TINY_GGUF).unlink()  # a GGUF cannot say dynamic
        # Others would want spellings of a magnitude that transformers warns of, and no two agree on dynamic.
        bench.run("patch", folder, "--runtime", "transformers5", *options.split())
        with warned() as said:
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        bench.equal(f"{options}, warnings while loading", said, [])
        states(bench, options, model.config, parameters, window)
        compare(bench, options, model.model.rotary_emb, table(bench, folder))
        if "dynamic" in options:
            model.model.rotary_emb(torch.zeros(1), position_ids=torch.arange(1000)[None])
            compare(bench, f"{options} at 1000 tokens", model.model.rotary_emb,
                    table(bench, folder, "--sequence-length", 1000))
        else:
            agreement(bench, options, model, folder / TINY_GGUF)


def states(bench, title, config, parameters, window):
    """The configuration as transformers understands it."""
    stated = config.rope_parameters.get("full_attention", config.rope_parameters)
    bench.equal(title, {key: stated.get(key) for key in parameters} | dict(window=config.max_position_embeddings),
                parameters | dict(window=window))


def compare(bench, title, rotary, tables):
    """The rotary module's own numbers against ours, for all layer types."""
    pairs, apart, magnitude_apart = 0, 0, 0
    for layer_type, entry in tables.items():
        frequencies, magnitude = computed(rotary, layer_type)
        pairs += len(frequencies)
        apart = max(apart, worst_difference(frequencies, entry["inverseFrequencies"]))
        magnitude_apart = max(magnitude_apart, worst_difference([magnitude], [entry["attentionFactor"]]))
    bench.holds(f"{title}, table", apart <= BOUND and magnitude_apart <= 1e-12,
                f"{pairs} pairs, {apart:.2g} ≤ {BOUND:g}; magnitude {magnitude:.6f}, {magnitude_apart:.2g} ≤ 1e-12")


def computed(rotary, layer_type):
    """Inverse frequencies and attention factor of a rotary module; some hold a set for each layer type."""
    prefix = f"{layer_type}_" if layer_type else ""
    return getattr(rotary, f"{prefix}inv_freq").tolist(), getattr(rotary, f"{prefix}attention_scaling")


def agreement(bench, title, model, gguf):
    """llama.cpp on the patched GGUF against transformers on the patched config: one model, two formats.

    Rounding moves the scores by 0.002 on average; a factor of 4.1 instead of 4 by 0.03, another magnitude by 0.3.
    """
    tokens = list((FIXTURES.parent / "LICENSE").read_bytes()[:512])
    theirs = torch.tensor(llama.logits(gguf, tokens))
    with torch.no_grad():
        ours = model(torch.tensor([tokens])).logits[0]
    off = float((theirs - ours[:, : theirs.shape[1]]).abs().mean())
    bench.holds(f"{title}, llama.cpp and transformers score alike", off < 0.01, f"{off:.2g} < 0.01 apart on average")


# Configurations

# Name, trained length, base; each is in transformers' registry.
CONFIGS = [
    ("llama-plain", 4096, 1e4), ("linear", 4096, 1e4), ("dynamic", 4096, 1e4), ("qwen3-headroom", 32768, 1e6),
    ("yarn-old", 32768, 1e6), ("yarn-both-types", 32768, 1e6), ("mrope", 32768, 1e6), ("v5-flat", 32768, 1e6),
    ("v5-yarn", 32768, 1e6), ("v5-per-layer", 32768, 1e6), ("both-layouts", 32768, 1e6), ("gpt-oss", 4096, 1.5e5),
    ("mla-yarn", 4096, 1e4), ("partial-rotary", 4096, 1e4), ("nested-text-config", 32768, 1e6),
    ("gemma3", 32768, 1e6), ("gpt-neox", 2048, 1e4),
] + [
    # The same settings in other text forms.
    (name, 4096, 1e4) for name in (
        "llama-no-scaling-key", "crlf", "tabs", "four-spaces", "single-line", "compact", "no-trailing-newline",
        "unsorted", "infinity-elsewhere")
]
YARN = dict(rope_type="yarn", factor=2.0)
# Options to what the scaling dictionary is to hold.
REQUESTS = {
    "--factor 2": YARN,
    "--factor 2 --beta-fast 16 --beta-slow 2": YARN | dict(beta_fast=16.0, beta_slow=2.0),
    "--factor 2 --attention-factor 1.2": YARN | dict(attention_factor=1.2),
    "--factor 2 --mscale 0.707 --mscale-all-dim 1": YARN | dict(mscale=0.707, mscale_all_dim=1.0),
    "--factor 2 --no-truncate": YARN | dict(truncate=False),
    "--factor 2 --method ntk-by-parts": YARN | dict(attention_factor=1.0),
    "--factor 2 --method linear": dict(rope_type="linear", factor=2.0),
    "--factor 2 --method dynamic": dict(rope_type="dynamic", factor=2.0),
    "--factor 2 --method ntk": dict(rope_type="default"),
    "--method none": dict(rope_type="default"),
}
# Unscaled models that state more than their trained length; taking no scaling away leaves that as it is.
HEADROOM = {"qwen3-headroom": 40960, "v5-flat": 40960}
# transformers reads `truncate` beside the dictionaries of the layer types, not inside them.
NESTED = {"v5-per-layer", "gemma3"}
# A remark about the fixture's invented token ids.
UNRELATED = "pad_token_id"


def configurations(bench):
    for name, original, base in CONFIGS:
        for options, parameters in REQUESTS.items():
            configuration(bench, name, original, base, options, parameters)


def configuration(bench, name, original, base, options, parameters):
    title = f"{name} {options}"
    # Where transformers does not do what is asked, the equations are what the patch is checked against.
    reader = "formula" if "truncate" in parameters and name in NESTED else "transformers5"
    folder = bench.patched(FIXTURES / "config" / name, "--runtime", reader, *options.split())
    with warned() as said:
        config = transformers.AutoConfig.from_pretrained(folder).get_text_config()
        rotary = rotary_embedding(config)
    bench.equal(f"{title}, warnings while loading", [text for text in said if UNRELATED not in text], [])

    tables = table(bench, folder)
    entry = tables.get("full_attention") or tables[None]
    wanted = parameters | dict(rope_theta=base)
    if parameters["rope_type"] == "yarn":
        wanted["original_max_position_embeddings"] = original
    if "--method ntk" in options and "parts" not in options:
        wanted["rope_theta"] = base * 2 ** (entry["rotaryDimension"] / (entry["rotaryDimension"] - 2))
    scales_window = "--factor" in options and parameters["rope_type"] not in ("linear", "dynamic")
    window = HEADROOM.get(name, original) if options == "--method none" else original
    states(bench, title, config, wanted, original * 2 if scales_window else window)
    if "truncate" in parameters and name in NESTED:
        known_quirk(bench, title, rotary, tables)
    else:
        compare(bench, title, rotary, tables)


def rotary_embedding(config):
    """The rotary module of the model class, which is where scaling becomes numbers."""
    module = importlib.import_module(type(config).__module__.replace("configuration_", "modeling_"))
    names = [name for name in vars(module) if name.endswith("RotaryEmbedding") and "Vision" not in name]
    return vars(module)[names[0]](config)


def known_quirk(bench, title, rotary, tables):
    """Fails once transformers honours `truncate` here, so that nobody keeps warning of a quirk that is gone."""
    frequencies, _ = computed(rotary, "full_attention")
    off = worst_difference(frequencies, tables["full_attention"]["inverseFrequencies"])
    bench.holds(f"{title}, known quirk: transformers rounds the ramp all the same", off > BOUND, f"{off:.2g} relative")
