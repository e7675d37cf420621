import Foundation
import TestSupport
import Testing

/// What people read, compared letter for letter with `fixtures/reports`.
@Suite struct GoldenTests {
  struct Session: Sendable, CustomTestStringConvertible {
    var name: String
    /// Names in the session's folder and the fixtures they are copies of.
    var fixtures: [String: String] = [:]
    var commands: [String]
    var testDescription: String { name }
    var file: String { "reports/\(name).txt" }
  }

  private static let bad = [
    "array", "base-negative", "base-null", "base-text", "base-zero", "bom", "duplicate-members", "empty", "factor-huge",
    "factor-zero", "html", "lfs-pointer", "nan-base", "odd-rotary",
  ]

  private static let helped = [
    "inspect", "advise", "patch", "apply", "undo", "recover", "verify", "table", "diff", "report", "lint", "rules",
  ]

  static let sessions =
    helped.map {
      Session(name: "help-\($0)", commands: ["yarn-patch \($0) --help"])
    } + [
      Session(name: "help", commands: ["yarn-patch"]),
      Session(
        name: "session", fixtures: ["model": Fixture.model],
        commands: [
          "yarn-patch inspect model", "yarn-patch patch model --context 1024 --dry-run",
          "yarn-patch patch model --context 1024 --check --quiet", "yarn-patch patch model --context 1024 --diff",
          "yarn-patch patch model --context 1024", "yarn-patch patch model --context 1024", "yarn-patch inspect model",
          "yarn-patch verify model --context 2048", "yarn-patch undo model", "yarn-patch undo model",
        ]),
      Session(
        name: "session-json", fixtures: ["model": Fixture.model],
        commands: [
          "yarn-patch inspect model --format json", "yarn-patch patch model --factor 4 --dry-run --format json",
          "yarn-patch patch model --factor 4 --format json",
        ]),
      Session(
        name: "inspect",
        fixtures: [
          "yarn.gguf": "gguf/qwen2-yarn.gguf", "weights": "safetensors/stored-inv-freq-wrong-base",
          "layers": "config/v5-per-layer", "latent": "config/mla-yarn", "nested": "config/nested-thinker",
          "sharded": "safetensors/sharded", "split-00001-of-00003.gguf": "gguf/split-00001-of-00003.gguf",
          "split-00002-of-00003.gguf": "gguf/split-00002-of-00003.gguf",
          "split-00003-of-00003.gguf": "gguf/split-00003-of-00003.gguf",
        ],
        commands: [
          "yarn-patch inspect yarn.gguf --metadata 'tokenizer.*' --tensors", "yarn-patch inspect weights",
          "yarn-patch inspect layers latent nested sharded", "yarn-patch inspect split-00002-of-00003.gguf",
        ]),
      Session(
        name: "table",
        fixtures: [
          "plain": "config/compact", "yarn.gguf": "gguf/qwen2-yarn.gguf", "layers": "config/v5-per-layer",
          "no-base": "config/llama-no-theta", "nested": "config/nested-text-config", "model": Fixture.model,
        ],
        commands: [
          "yarn-patch table plain", "yarn-patch table plain --format csv", "yarn-patch table yarn.gguf",
          "yarn-patch table yarn.gguf --format json", "yarn-patch table layers --layer-type sliding_attention",
          "yarn-patch table layers --layer-type chunked_attention", "yarn-patch table no-base",
          "yarn-patch table plain --runtime nonesuch", "yarn-patch table plain --runtime vllm@0.3",
          "yarn-patch table layers --runtime vllm@0.33 --runtime mlx-lm --runtime yarn-repo --layer-type full_attention",
          "yarn-patch table yarn.gguf --runtime vllm", "yarn-patch table yarn.gguf --runtime llama.cpp",
          "yarn-patch table nested", "yarn-patch patch model --context 1024 > patched.txt", "yarn-patch table model",
        ]),
      Session(
        name: "advise",
        fixtures: [
          "model": Fixture.model, "qwen3": "config/qwen3-headroom", "llama3": "config/llama3",
          "gpt-oss": "config/gpt-oss", "yarn": "config/yarn-old", "yarn.gguf": "gguf/qwen2-yarn.gguf",
          "gemma3": "config/gemma3", "no-base": "config/llama-no-theta", "learned": "config/learned-gpt2",
        ],
        commands: [
          "yarn-patch advise model --context 1024", "yarn-patch advise model --context 200",
          "yarn-patch advise qwen3 --context 131072", "yarn-patch advise llama3 --context 131072",
          "yarn-patch advise llama3 --context 262144", "yarn-patch advise gpt-oss --context 262144",
          "yarn-patch advise yarn --context 20000", "yarn-patch advise yarn --context 131072 --quiet",
          "yarn-patch advise yarn.gguf --context 100000", "yarn-patch advise gemma3 --context 65536 --quiet",
          "yarn-patch advise no-base --context 8192", "yarn-patch advise learned --context 8192",
          "yarn-patch advise model --context 0", "yarn-patch advise model",
          "yarn-patch advise model --context 1024 --format json",
        ]),
      Session(
        name: "lint",
        fixtures: [
          "models/old": "lint/YP102/fires/type-only", "models/good": "lint/YP106/silent/stated",
          "models/bad": "lint/YP106/fires/qwen3", "model.gguf": "gguf/qwen2-yarn.gguf",
        ],
        commands: [
          "yarn-patch lint models", "yarn-patch lint models --quiet --profile advisory", "yarn-patch lint models/good",
          "yarn-patch lint models --verbose --select YP102", "yarn-patch lint models --format json",
          "yarn-patch lint models --format github", "yarn-patch lint models --format junit",
          "yarn-patch lint models --format sarif | head -n 3 | cut -c -150",
          "yarn-patch lint models --format sarif | tail -n 4",
          "yarn-patch lint models --diff", "yarn-patch lint models --write-baseline accepted.json", "cat accepted.json",
          "yarn-patch lint models --baseline accepted.json", "yarn-patch lint models --fix --select YP1",
          "yarn-patch lint models --baseline accepted.json --quiet", "yarn-patch undo models/old",
          "yarn-patch lint model.gguf --serve-length 262144 --profile llama.cpp",
          "yarn-patch lint models --serve-length 131072 --profile vllm@0.33 --quiet",
          "yarn-patch lint models --profile vlm", "yarn-patch lint models --select YP999",
          "yarn-patch lint models --unsafe-fixes", "yarn-patch lint nowhere",
          "echo '{\"serveLenght\": 1}' > .yarn-patch.json && yarn-patch lint models/good",
          "yarn-patch rules", "yarn-patch rules YP106", "yarn-patch rules yp602 --format markdown",
          "yarn-patch rules YP102 --format json", "yarn-patch rules YP999",
        ]),
      Session(
        name: "lint-cases", fixtures: ["lint": "lint"],
        commands: [
          "for folder in lint/YP*; do yarn-patch lint $folder/fires --select ${folder#lint/} --profile advisory; done"
        ]),
      Session(
        name: "table-svg", fixtures: ["model": Fixture.model],
        commands: [
          "yarn-patch patch model --context 1024 > patched.txt", "yarn-patch table model --runtime all --format svg",
        ]),
      Session(
        name: "verify",
        fixtures: [
          "yarn": "config/yarn-old", "wrong-base": "safetensors/stored-inv-freq-wrong-base", "other": "config/v5-yarn",
          "no-base": "config/llama-no-theta", "dynamic": "config/dynamic",
        ],
        commands: [
          "yarn-patch verify yarn", "yarn-patch verify dynamic", "yarn-patch verify dynamic --attention full --quiet",
          "yarn-patch verify yarn --attention off --verbose",
          "yarn-patch verify wrong-base --attention off", "yarn-patch verify yarn --against other --attention off",
          "yarn-patch verify no-base",
          "echo '{\"factor\": 4, \"base\": 10000, \"theta\": 1}' > expected.json && yarn-patch verify yarn "
            + "--attention off --expect expected.json",
        ]),
      Session(
        name: "weights", fixtures: ["model": Fixture.model],
        commands: [
          "yarn-patch patch model --context 1024 > patched.txt", "yarn-patch verify model --attention weights",
          "yarn-patch verify model/config.json --attention weights --quiet",
          "yarn-patch verify model/config.json --context 2048 --attention weights --quiet",
        ]),
      Session(
        name: "agreement",
        fixtures: [
          "oss": "config/gpt-oss", "plain": "config/llama-plain", "dynamic": "config/dynamic",
          "linear": "config/linear",
          "longrope": "config/longrope", "yarn.gguf": "gguf/qwen2-yarn.gguf", "missing": "config/bad-base-null",
        ],
        commands: ["oss", "plain", "dynamic", "linear", "longrope", "yarn.gguf", "missing"].map {
          "yarn-patch verify \($0) --runtime all --attention off"
        } + [
          "yarn-patch verify plain --runtime vllm --runtime mlx-lm --attention off --format json",
          "yarn-patch verify plain --runtime nonesuch",
        ]),
      Session(
        name: "diff",
        fixtures: [
          "model": Fixture.model, "old": "config/yarn-old", "new": "config/v5-yarn", "plain": "config/llama-plain",
          "layers": "config/v5-per-layer", "latent": "config/mla-yarn",
        ],
        commands: [
          "yarn-patch diff model/config.json model/tiny-llama-ctx256-f16.gguf",
          "yarn-patch patch model/config.json --factor 4 --quiet",
          "yarn-patch diff model/config.json model/tiny-llama-ctx256-f16.gguf",
          "yarn-patch diff model/config.json model/tiny-llama-ctx256-f16.gguf --runtime vllm --format json",
          "yarn-patch diff old new", "yarn-patch diff plain latent --runtime formula", "yarn-patch diff layers layers",
          "yarn-patch diff plain model/model.safetensors", "yarn-patch diff plain missing",
          #"sed 's/"factor": 4.0/&, "beta_fast": 16.0/' old/config.json > sharp.json && yarn-patch diff sharp.json old"#,
          "yarn-patch patch old --factor 4 --original-context 32768 --beta-fast 16 --runtime formula --runtime vllm --quiet",
          "yarn-patch diff sharp.json old --runtime vllm",
        ]),
      Session(
        name: "patch",
        fixtures: [
          "plain": "config/llama-plain", "yarn": "config/yarn-old", "llama3": "config/llama3",
          "learned": "config/learned-gpt2", "custom.gguf": "gguf/qwen2-yarn.gguf",
          "weights": "safetensors/stored-inv-freq-wrong-base", "no-base": "config/llama-no-theta",
          "qwen3": "config/qwen3-headroom", "gpt-oss": "config/gpt-oss",
        ],
        commands: [
          "yarn-patch patch plain --method linear --factor 2 --dry-run",
          "yarn-patch patch plain --method ntk --factor 2 --dry-run",
          "yarn-patch patch yarn --method none --dry-run", "yarn-patch patch yarn --factor 4",
          "yarn-patch patch yarn --context 32768 --dry-run", "yarn-patch patch plain --context 4096",
          "yarn-patch patch plain --context 4096 --beta-fast 16", "yarn-patch patch plain --factor 1 --dry-run",
          "yarn-patch patch qwen3 --context 100000 --dry-run", "yarn-patch patch llama3 --factor 2",
          "yarn-patch patch learned --factor 2", "yarn-patch patch custom.gguf --factor 8",
          "yarn-patch patch weights --factor 2", "yarn-patch patch no-base --factor 2",
          "yarn-patch patch plain --factor 0.5", "yarn-patch patch plain --factor 1e309",
          "yarn-patch patch plain --factor 2 --context 8192", "yarn-patch patch plain --method magic --factor 2",
          "yarn-patch patch plain --context 8192 --output copy", "yarn-patch patch plain --context 8192 --output copy",
          "yarn-patch patch qwen3 --factor 8 --dry-run", "yarn-patch patch gpt-oss --factor 16 --dry-run",
          #"echo '{"models": [{"name": "Tuned", "families": ["qwen3"], "window": 40960, "trainedLength": 16384, "#
            + #""source": "our training log"}]}' > mine.json"#,
          "yarn-patch patch qwen3 --factor 4 --dry-run --known-models mine.json",
          #"echo '{"models": [{"name": "Tuned", "families": "qwen3"}]}' > wrong.json"#,
          "yarn-patch patch qwen3 --factor 4 --known-models wrong.json",
          "yarn-patch patch qwen3 --factor 4 --known-models absent.json",
        ]),
      Session(
        name: "plan", fixtures: ["model": Fixture.model, "plain": "config/llama-plain"],
        commands: [
          "mkdir plans && yarn-patch patch model --context 1024 --save-plan plans/plan.json", "cat plans/plan.json",
          "yarn-patch apply plans/plan.json --dry-run", "yarn-patch apply plans/plan.json --quiet",
          "yarn-patch apply plans/plan.json", "yarn-patch undo model", "sed -i 's/1024/2048/' plans/plan.json",
          "yarn-patch apply plans/plan.json",
          "yarn-patch patch plain --factor 4 --save-plan plan.json --format json",
          "sed -i 's/\"16384\"/\"8192\"/' plan.json && yarn-patch apply plan.json",
          "yarn-patch patch plain --factor 4 --save-plan plan.json --diff",
          "sed -i s/bfloat16/bfloat32/ plain/config.json", "yarn-patch apply plan.json", "echo >> plain/config.json",
          "yarn-patch apply plan.json", "yarn-patch apply plain/config.json", "yarn-patch apply absent.json",
          "yarn-patch patch plain --factor 4 --save-plan plain/config.json",
          "yarn-patch patch plain --factor 4 --save-plan plan.json --output copy",
        ]),
      Session(
        name: "recover", fixtures: ["model.gguf": "gguf/llama-plain.gguf"],
        commands: [
          "yarn-patch recover model.gguf", "yarn-patch patch model.gguf --factor 4 --quiet",
          // The record as a crash would have left it.
          "sed '$d; s/^step=done$/step=pending/' model.gguf.yarn-patch-undo > pending && "
            + "echo end=$(sha256sum < pending | cut -c1-64) >> pending && mv pending model.gguf.yarn-patch-undo",
          "yarn-patch inspect model.gguf", "yarn-patch table model.gguf --format csv | head -n 1",
          "yarn-patch patch model.gguf --factor 8", "yarn-patch recover model.gguf", "yarn-patch recover model.gguf",
          "yarn-patch undo model.gguf", "ls",
        ]),
      Session(
        name: "factors",
        fixtures: [
          "model.gguf": Fixture.model + "/tiny-llama-ctx256-f16.gguf",
          "keys.gguf": Fixture.model + "/tiny-llama-ctx256-f16.gguf",
          "llama3.gguf": "gguf/llama3-freqs.gguf", "qwen2.gguf": "gguf/qwen2-yarn.gguf", "plain": "config/llama-plain",
        ],
        commands: [
          "yarn-patch patch model.gguf --factor 4 --beta-fast 16",
          "yarn-patch patch model.gguf --factor 4 --beta-fast 16 --encoding auto --quiet",
          "yarn-patch patch model.gguf --factor 4 --beta-fast 16 --encoding factors", "yarn-patch inspect model.gguf",
          "yarn-patch patch keys.gguf --factor 4 --quiet", "yarn-patch diff model.gguf keys.gguf",
          "yarn-patch patch keys.gguf --factor 4 --original-context 256 --beta-fast 16 --encoding factors --quiet",
          "yarn-patch diff model.gguf keys.gguf", "yarn-patch undo keys.gguf",
          "yarn-patch table model.gguf --runtime llama.cpp",
          "yarn-patch patch model.gguf --factor 4 --beta-fast 32 --encoding auto --diff",
          "yarn-patch patch model.gguf --factor 1 --encoding factors --dry-run",
          "yarn-patch patch model.gguf --method none --quiet", "yarn-patch inspect model.gguf",
          "yarn-patch verify model.gguf --against keys.gguf --attention off", "yarn-patch inspect llama3.gguf",
          "yarn-patch diff llama3.gguf qwen2.gguf --runtime formula",
          "yarn-patch patch llama3.gguf --factor 2 --encoding factors",
          "yarn-patch patch llama3.gguf --factor 2 --encoding factors --allow YP608 --dry-run",
          "yarn-patch patch qwen2.gguf --factor 4 --attention-factor 1.2 --encoding factors",
          "yarn-patch patch plain --factor 4 --encoding factors",
          "yarn-patch patch model.gguf --factor 4 --encoding keyz",
        ]),
      Session(
        name: "refusals", fixtures: Dictionary(uniqueKeysWithValues: bad.map { ($0, "config/bad-\($0)") }),
        commands: bad.map { "yarn-patch inspect \($0)" } + [
          "yarn-patch inspect missing", "yarn-patch inspect /dev/null", "printf 'GGUF' > cut.gguf",
          "yarn-patch inspect cut.gguf", "printf 'tjgg' > old.bin", "yarn-patch inspect old.bin",
          "printf 'PK' > model.zip", "yarn-patch inspect model.zip", "mkdir empty-folder",
          "yarn-patch inspect empty-folder", "mkdir -p run/checkpoint-100 run/checkpoint-200",
          "cp empty/* run/checkpoint-100", "cp empty/* run/checkpoint-200", "yarn-patch inspect run",
          "yarn-patch undo empty",
        ]),
    ]

  @Test(arguments: sessions) func `reports and messages are the recorded ones`(session: Session) throws {
    let text = try Transcript(
      running: session.commands, in: try ScratchFolder(session.fixtures), endsWithCode: true
    ).text
    if writesGoldens {
      let url = URL(fileURLWithPath: Fixture.path(session.file))
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    let recorded = String(decoding: try Fixture.bytes(session.file), as: UTF8.self)
    #expect(
      comparable(text) == comparable(recorded),
      "\(lineDifference(from: recorded, to: text))\nif this is right: make goldens")
  }

  @Test func `docs/rules.md is what the rules say`() throws {
    let text = try Command.run(["rules", "--format", "markdown"]).output
    let url = URL(fileURLWithPath: Fixture.path("../docs/rules.md"))
    if writesGoldens { try Data(text.utf8).write(to: url) }
    #expect(text == String(decoding: try Data(contentsOf: url), as: UTF8.self), "if this is right: make goldens")
  }

  @Test func `every recorded report belongs to a session`() throws {
    #expect(try Fixture.names(in: "reports") == Self.sessions.map { "\($0.name).txt" }.sorted())
  }
}
