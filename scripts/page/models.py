"""Models to make pages of, and the pages."""

import json
import os
import pathlib
import resource
import shutil
import subprocess

from expectations import expect

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / ".build/page"
LARGEST_PAGE = 500_000
LONGEST_MAKING = 200


def processor_time():
    """Seconds of the programs that were started; unlike the clock's they do not grow with other work on the machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(command, model, page, *options):
    start = processor_time()
    # From the model's folder: a page says its model's path as it was named.
    run = subprocess.run(
        [command, "report", model.name, "-o", str(page), *options], cwd=model.parent, capture_output=True, text=True,
        check=False)
    milliseconds = 1000 * (processor_time() - start)
    expect(run.returncode == 0, f"{page.name}: exit code {run.returncode}: {run.stderr}")
    size = page.stat().st_size
    expect(size < LARGEST_PAGE, f"{page.name}: {size} bytes")
    return milliseconds


def config(folder, **members):
    folder.mkdir(parents=True, exist_ok=True)
    base = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32,
            "num_hidden_layers": 2, "num_key_value_heads": 8, "rope_theta": 10000.0, "max_position_embeddings": 4096}
    text = json.dumps({**base, **members}, indent=2, ensure_ascii=False)
    (folder / "config.json").write_text(text, encoding="utf-8")
    return folder


def hostile(scratch):
    """Models whose names, keys and values would like to be markup or script."""
    ends = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    yield "hostile-name", config(scratch / "<img src=x onerror=window.hacked=1>&\"'")
    yield "hostile-type", config(scratch / "type", model_type=ends, rope_scaling={
        "rope_type": ends + "\u2028<!--", "factor": 4.0, "original_max_position_embeddings": 1024})
    yield "hostile-keys", config(scratch / "keys", **{
        "k" * 10_000: "<b>", ends * 40: 1, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "y" * 10_000: ends}})
    text = (config(scratch / "nan") / "config.json").read_text().replace("10000.0", "NaN")
    (scratch / "nan/config.json").write_text(text)
    yield "hostile-nan", scratch / "nan"
    yield "hostile-layers", config(
        scratch / "layers", head_dim=64, layer_types=["full_attention", ends], rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 10000.0},
            ends: {"rope_type": "default", "rope_theta": 1e6}})


def every(scratch):
    """Models by the names of their pages, each with options of report."""
    fixtures = ROOT / "fixtures"
    models = {
        "tiny": (fixtures / "models/tiny-llama-ctx256", "--series", str(fixtures / "series/tiny-llama-ctx256.csv")),
        "layers": (fixtures / "config/v5-per-layer",), "wide": (config(scratch / "wide", head_dim=512, rope_theta=1e6),),
        "dynamic": (fixtures / "config/dynamic",), "llama3": (fixtures / "config/llama3",),
        "nested": (fixtures / "config/nested-text-config",),
    }
    header = ROOT.parent / "shared/corpus/gguf/ggml-vocab-qwen2.gguf"
    if header.exists():
        models["header"] = (header,)
    else:
        print(f"left out: the page of a GGUF's header, {header} is not here")
    # Headers alone are read, however large the file.
    huge = pathlib.Path(shutil.copy(fixtures / "models/tiny-llama-ctx256/tiny-llama-ctx256-f16.gguf", scratch / "huge.gguf"))
    os.truncate(huge, 64 << 30)
    models["huge"] = (huge,)
    return models | {name: (model,) for name, model in hostile(scratch)}


def make_all(command, scratch):
    """The pages by name, each made in time."""
    models = every(scratch)
    for name, (model, *options) in models.items():
        milliseconds = min(report(command, model, OUT / f"{name}.html", *options) for _ in range(3))
        print(f"{name}.html: {(OUT / f'{name}.html').stat().st_size} bytes in {milliseconds:.0f} ms")
        if "/release/" in command:
            expect(milliseconds < LONGEST_MAKING, f"{name}: the page takes {milliseconds:.0f} ms")
    return {name: OUT / f"{name}.html" for name in models}
