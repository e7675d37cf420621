"""What `verify --attention weights` prints of first layers, beside transformers' queries and keys and gguf-py's weights."""

import numpy
import torch
import transformers
from bench import ROOT, TINY
from first_layer import llama_heads, turned, write_first_layer
from gguf import GGMLQuantizationType
from record_first_layer import first_heads

BOUND = 1e-5  # of the largest logit of a head
SPREAD = 1e-4  # of entropies in nats, and of shares
QUERIES, NEAR = 8, 32


def reports(bench):
    tokens = list((ROOT / "LICENSE").read_bytes()[:200])
    # A shorter trained length than the true one, so that short sequences reach beyond it.
    scaled = bench.patched(TINY, "--factor", 4, "--original-context", 64, "--runtime", "transformers5")
    compare(bench, "the tiny model, transformers", scaled, tokens, 64,
            {"unscaled": transformers_logits(TINY, tokens), "declared": transformers_logits(scaled, tokens)})

    tokens = [(31 * i * i + 977 * i) % 49152 for i in range(700)]
    eight = bench.folder / "first-layer-report-Q8_0.gguf"
    write_first_layer(bench.standard_model, eight, GGMLQuantizationType.Q8_0)
    for name, path in (("Q4_1", bench.standard_model), ("Q8_0", eight)):
        scaled = bench.patched(path, "--factor", 4, "--original-context", 300)
        table = bench.json("table", scaled)["tables"][0]
        query, key = llama_heads(scaled, tokens)
        magnitude = table["attentionFactor"] ** 2
        compare(bench, f"the standard model in {name}, gguf-py", scaled, tokens, 300, {
            "unscaled": logits(turned(query), turned(key)),
            "declared": magnitude * logits(*(turned(heads, table["inverseFrequencies"]) for heads in (query, key)))})


def transformers_logits(folder, tokens):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    query, key, scaling = first_heads(model.eval(), tokens)
    shared = query.shape[0] // key.shape[0]
    return (scaling * query @ key.repeat_interleave(shared, 0).transpose(1, 2)).numpy()


def logits(query, key):
    """[head][query][key], of heads behind rotation."""
    key = numpy.repeat(key, query.shape[1] // key.shape[1], axis=1)
    return numpy.einsum("ihl,jhl->hij", query, key) / numpy.sqrt(query.shape[2])


def compare(bench, title, model, tokens, original, expected):
    report = bench.json("verify", model, "--attention", "weights", "--tokens", ",".join(map(str, tokens)))["weights"]
    bench.equal(f"{title}: tokens and trained length", (report["tokens"]["count"], report["originalContext"]),
                (len(tokens), original))
    bench.equal(f"{title}: settings", [setting["name"] for setting in report["settings"]], list(expected))
    for setting in report["settings"]:
        scores, spreads = [], []
        for head in setting["heads"]:
            off, spread = distances(head, expected[setting["name"]][head["head"]], original)
            scores.append(off)
            spreads.append(spread)
        name = f"{title}, {setting['name']}, {len(scores)} heads"
        bench.holds(f"{name}, logits", max(scores) <= BOUND, f"{max(scores):.2g} ≤ {BOUND:g} of the largest")
        bench.holds(f"{name}, entropies and shares", max(spreads) <= SPREAD, f"{max(spreads):.2g} ≤ {SPREAD:g}")


def distances(head, theirs, original):
    """How far a head's numbers are off: those that are logits by the largest of them, and entropies and shares."""
    count = len(theirs)
    lengths = sorted({2**i for i in range(6, 30) if 2**i < count} | {original, count})
    assert [row["length"] for row in head["lengths"]] == lengths
    positions = [position for length in lengths for position in range(length - QUERIES, length)]
    rows = {position: theirs[position, : position + 1][::-1] for position in positions}  # by distance
    largest = max(abs(row).max() for row in rows.values())

    assert [row["from"] for row in head["distances"]] == [0] + [row["to"] + 1 for row in head["distances"][:-1]]
    off = []
    for part in head["distances"]:
        seen = numpy.concatenate([rows[position][part["from"] : part["to"] + 1] for position in positions])
        off += [part["mean"] - seen.mean(), part["largest"] - seen.max()]
    off.append(head["largestInside"] - max(row[:original].max() for row in rows.values()))
    off.append(head["largestBeyond"] - max(row[original:].max() for row in rows.values() if len(row) > original))

    spread = []
    for i, row in enumerate(head["lengths"]):
        weights = [numpy.exp(rows[position] - rows[position].max()) for position in positions[i * QUERIES :][:QUERIES]]
        weights = [row / row.sum() for row in weights]
        spread.append(row["entropy"] - numpy.mean([-(row * numpy.log(row)).sum() for row in weights]))
        spread.append(row["within32"] - numpy.mean([row[:NEAR].sum() for row in weights]))
    return max(map(abs, off)) / largest, max(map(abs, spread))
