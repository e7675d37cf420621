import Foundation
import TestSupport
import Testing

@Suite struct ContractTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder([
      "model": Fixture.model, "plain": "config/llama-plain", "yarn": "config/yarn-old",
      "wrong-base": "safetensors/stored-inv-freq-wrong-base", "no-theta": "config/llama-no-theta",
      "learned": "config/learned-gpt2",
    ])
  }

  private func run(_ arguments: String) throws -> Command.Outcome {
    try Command.run(arguments.split(separator: " ").map(String.init), cwd: folder.path)
  }

  // MARK: exit codes and streams

  @Test(arguments: [
    "inspect model", "inspect plain yarn model --metadata general.* --tensors", "inspect wrong-base",
    "table model", "table yarn --format csv", "table yarn --sequence-length 100000 --runtime formula --runtime all",
    "verify model", "verify model --attention weights", "verify model --attention weights --tokens 1,2,3",
    "verify model --attention weights --format svg", "verify model --context 256 --attention off",
    "verify model --against model", "advise model --context 1024", "advise model --context 100",
    "patch model --factor 4 --dry-run", "patch model --context 1000 --diff", "patch plain --method none --check",
    "patch plain --factor 2", "patch plain --factor 2 --save-plan plan.json --dry-run", "--help", "help patch",
    "--version", "patch --help", "report model", "report yarn --context 65536", "report no-theta",
  ]) func `what can be done gives 0, with the result on standard output alone`(arguments: String) throws {
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 0)
    #expect(outcome.errors == "")
    #expect(outcome.output.hasSuffix("\n"))
  }

  @Test(arguments: [
    "verify model --context 257", "verify wrong-base", "verify no-theta", "verify model --expect expected.json",
    "verify plain --against model", "patch model --factor 4 --check",
    "patch yarn --factor 8 --check --diff",
    "patch yarn --method none --check --format json",
  ]) func `the answer no gives 1, with the result on standard output alone`(arguments: String) throws {
    try folder.write(#"{"base": 10001}"#, to: "expected.json")
    let before = try folder.state()
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors == "")
    #expect(outcome.output.hasSuffix("\n"))
    #expect(try folder.state() == before)
  }

  @Test func `a check that failed gives 1, although the weights it was to look at are not there either`() throws {
    let outcome = try run("verify no-theta --attention weights")
    #expect(outcome.exitCode == 1)
    #expect(outcome.output.contains("first layer: not looked at"))
    #expect(outcome.errors.contains("what to do: name the folder"))
  }

  @Test func `weights that cannot be looked at give 2, with the checks that hold`() throws {
    let outcome = try run("verify plain --attention weights")
    #expect(outcome.exitCode == 2)
    #expect(outcome.output.hasPrefix("plain: verified"))
    #expect(outcome.errors.contains("what to do: name the folder"))
  }

  @Test(arguments: [
    "inspect learned", "inspect missing", "inspect plain missing", "table learned", "verify missing",
    "report learned", "report missing", "report model --series missing",
    "report model --series model/config.json", "report model -o model/config.json",
    "report model -o missing/page.html", "advise learned --context 8192", "advise missing --context 8192",
    "verify plain --against missing", "verify plain --expect missing", "patch missing --factor 2",
    "patch plain --factor 1e300", "patch plain --factor 4 --section /nowhere",
    "patch plain --factor 4 --section nowhere", "patch plain --factor 4 --output yarn/config.json",
    "patch plain --factor 4 --output missing/folder", "undo plain", "undo missing",
    "apply missing", "apply model", "apply plain/config.json", "patch plain --factor 4 --save-plan plain/config.json",
    "patch plain --factor 4 --save-plan plain", "patch plain --factor 4 --save-plan missing/plan.json",
    "patch learned --factor 4 --save-plan plan.json",
  ]) func `what cannot be done gives 2, says why on standard error and changes nothing`(arguments: String) throws {
    let before = try folder.state()
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("yarn-patch: ") && outcome.errors.hasSuffix("\n"))
    #expect(outcome.errors.contains(", expected ") && outcome.errors.contains("\n  what to do: "), "\(outcome.errors)")
    #expect(try folder.state() == before)
  }

  @Test(arguments: [
    ("inspect", "Missing expected argument"), ("inspect plain --bogus", "Unknown option '--bogus'"),
    ("inspect plain --format yaml", "text"), ("nonsense plain", "nonsense"),
    ("patch plain", "give --factor or --context"), ("patch --factor 4", "Missing expected argument"),
    ("patch plain --factor 4 --context 8192", "give --factor or --context, not both"),
    ("patch plain --factor 4 --method magic", "ntk-by-parts"), ("patch plain --factor four", "'four'"),
    ("patch plain --context 1.5", "'1.5'"), ("patch plain --context 9223372036854775808", "9223372036854775808"),
    ("patch plain --method none --factor 4", "--method none"),
    ("patch plain --method none --context 4", "--method none"),
    ("patch plain --factor 4 --attention-factor 1 --mscale 1", "give --attention-factor or --mscale, not both"),
    ("patch plain --factor 4 --mscale-all-dim 1", "--mscale-all-dim needs --mscale"),
    ("patch plain --factor 4 --save-plan plan.json --output copy", "give --output and --no-undo to apply"),
    ("patch plain --factor 4 --save-plan plan.json --no-undo", "give --output and --no-undo to apply"),
    ("apply", "Missing expected argument"), ("apply plan.json --factor 4", "Unknown option '--factor'"),
    ("patch plain yarn --factor 4", "Unexpected argument 'yarn'"), ("undo", "Missing expected argument"),
    ("undo plain --factor 4", "Unknown option"), ("verify plain --context 0", "--context: the length is 0"),
    ("verify plain --tokens 1,2", "--tokens are for --attention weights"),
    ("verify plain --attention weights --tokens 1,x", "\"x\" is no token's number"),
    ("verify plain --attention weights --tokens ,", "--tokens names no token"),
    ("verify plain --context=-5", "--context: the length is -5, expected 1 to 2147483647 tokens"),
    ("report plain --context 0", "--context: the length is 0"), ("report", "Missing expected argument"),
    ("verify plain --attention loud", "quick"),
    ("table plain --runtime nonesuch", "unknown runtime nonesuch; known: "),
    ("table plain --runtime formula@nonesuch", "unknown version nonesuch of formula; known: none"),
    ("table plain --runtime vllm@0.3", "unknown version 0.3 of vllm; known: 0.33.0"),
    ("table plain --sequence-length 0", "--sequence-length: the length is 0"), ("table plain --format svgz", "csv"),
    ("patch plain --factor 0.5", "--factor: the value is 0.5, expected a finite number of at least 1"),
    ("patch plain --factor 0", "--factor: "), ("patch plain --factor=-4", "--factor: "),
    ("patch plain --factor nan", "--factor: "), ("patch plain --factor inf", "--factor: "),
    ("patch plain --factor 1e309", "--factor: "), ("patch plain --context 0", "--context: the length is 0"),
    ("patch plain --context=-1", "--context: "), ("patch plain --context 9223372036854775807", "--context: "),
    ("patch plain --factor 4 --base 1", "--base: "), ("patch plain --factor 4 --base nan", "--base: "),
    ("patch plain --factor 4 --base inf", "--base: "), ("patch plain --factor 4 --beta-fast 0", "--beta-fast: "),
    ("patch plain --factor 4 --beta-slow nan", "--beta-slow: "),
    ("patch plain --factor 4 --attention-factor=-1", "--attention-factor: "),
    ("patch plain --factor 4 --method linear --beta-fast 8", "--beta-fast: the method is linear"),
    ("patch plain --factor 4 --original-context 0", "--original-context: the length is 0"),
    ("patch missing --factor 4 --original-context 0", "--original-context: the length is 0"),
    ("advise plain --context 0", "--context: "), ("advise plain --context 2147483648", "--context: "),
    ("advise plain --context 8192 --original-context 0", "--original-context: "),
    ("advise plain --context 8192 --base nan", "--base: "), ("verify plain --context 2147483648", "--context: "),
    ("report plain --context 2147483648", "--context: "), ("lint plain --serve-length 0", "--serve-length: "),
    ("lint plain --serve-length 2147483648", "--serve-length: "),
    ("table plain --sequence-length 2147483648", "--sequence-length: "),
  ]) func `wrong usage gives 64 and says what would be right`(arguments: String, words: String) throws {
    let before = try folder.state()
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.contains("Usage: yarn-patch"))
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(try folder.state() == before)
  }

  @Test func `an unknown runtime is answered with the known ones`() throws {
    #expect(try run("table plain --runtime nonesuch").errors.contains("formula"))
  }

  @Test func `a model without a table is shown on standard output and refused on standard error`() throws {
    let outcome = try run("table no-theta")
    #expect(outcome.exitCode == 2)
    #expect(outcome.output == "formula: no table, the file states no RoPE base\n")
    #expect(outcome.errors.hasPrefix("yarn-patch: no-theta: the file states no RoPE base, expected "))
  }

  @Test(arguments: [
    "inspect model", "table model", "verify model", "advise model --context 512", "patch model --factor 4 --diff",
  ])
  func `a result that cannot be printed gives 2`(arguments: String) throws {
    let outcome = try Command.run(
      "/bin/sh", ["-c", "exec \"$0\" \(arguments) > /dev/full", Command.path], cwd: folder.path)
    #expect(outcome.exitCode == 2)
    #expect(outcome.errors.contains("standard output: write failed: No space left on device"), "\(outcome.errors)")
  }

  @Test func `a reader that leaves early is no error of ours`() throws {
    let outcome = try Command.run(
      "/bin/sh", ["-c", "trap '' PIPE; (\"$0\" table yarn; echo \"exit code $?\" >&2) | true", Command.path],
      cwd: folder.path)
    #expect(outcome.errors == "exit code 0\n")
  }

  // MARK: the same again

  @Test(arguments: [
    "inspect model --metadata * --tensors", "inspect model --format json", "table model", "table yarn --format csv",
    "table model --format json", "verify model --verbose", "verify model --format json",
    "advise model --context 512", "advise model --context 512 --format json",
    "patch model --factor 4 --dry-run", "patch model --factor 4 --diff",
    "patch model --factor 4 --dry-run --format json",
    "inspect learned", "patch model --factor 0",
  ]) func `the same input gives the same output, byte for byte`(arguments: String) throws {
    let (first, second) = (try run(arguments), try run(arguments))
    #expect(first.output == second.output && first.errors == second.errors && first.exitCode == second.exitCode)
    #expect(!(first.output + first.errors).isEmpty)
  }

  @Test func `the same patch gives the same files, byte for byte`() throws {
    var states: [[String: ScratchFolder.Entry]] = []
    for _ in 0..<2 {
      let folder = try ScratchFolder(["model": Fixture.model])
      #expect(try Command.run(["patch", "model", "--context", "1024"], cwd: folder.path).exitCode == 0)
      states.append(try folder.state())
    }
    #expect(states[0] == states[1])
  }

  @Test func `a second identical patch changes nothing and says so`() throws {
    #expect(try run("patch model --context 1024").exitCode == 0)
    let before = try folder.state()
    let outcome = try run("patch model --context 1024")
    #expect(outcome.exitCode == 0)
    #expect(
      outcome.output == "model: nothing to change, the files already state yarn ×4, 256 → 1024 tokens\n")
    #expect(try folder.state() == before)
    #expect(try run("patch model --context 1024 --check").exitCode == 0)
    #expect(try run("patch model --factor 2 --check").exitCode == 1)
  }

  @Test func `undo gives back every byte and leaves nothing behind`() throws {
    let before = try folder.state()
    for arguments in ["patch model --context 1024", "patch model --factor 8", "patch plain --method linear --factor 2"]
    {
      #expect(try run(arguments).exitCode == 0)
    }
    #expect(try folder.state() != before)
    for _ in 0..<2 {
      let outcome = try run("undo model")
      #expect(outcome.exitCode == 0 && outcome.errors == "")
      #expect(
        outcome.output.split(separator: "\n").sorted() == [
          "model/config.json: restored", "model/tiny-llama-ctx256-f16.gguf: restored",
        ])
    }
    #expect(try run("undo plain").exitCode == 0)
    #expect(try folder.state() == before)
  }

  // MARK: what is printed besides

  @Test(arguments: [
    ("verify yarn", "  note "), ("patch model --context 1024", "take it back with"),
    ("inspect model/model.safetensors", ""), ("inspect weights", "  note "),
  ]) func `--quiet leaves out notes and nothing else`(arguments: String, noise: String) throws {
    if arguments == "inspect weights" {
      // Weights alone: their file is noted to say nothing about RoPE.
      try folder.write(try folder.bytes("plain/config.json"), to: "weights/config.json")
      try folder.write("version https://git-lfs.github.com/spec/v1\n", to: "weights/model.safetensors")
    }
    let quiet = try run(arguments + " --quiet")
    if arguments.hasPrefix("patch") { #expect(try run("undo model").exitCode == 0) }
    let normal = try run(arguments)
    #expect(quiet.exitCode == 0 && normal.exitCode == 0)
    #expect(quiet.errors == "" && normal.errors == "")
    let left = normal.output.split(separator: "\n").filter {
      noise.isEmpty || !$0.hasPrefix(noise) && !$0.hasPrefix("  note ")
    }
    #expect(left == quiet.output.split(separator: "\n"))
    #expect(noise.isEmpty || normal.output.contains(noise))
  }

  @Test(arguments: [
    "inspect model", "table yarn", "verify model", "advise model --context 512", "patch model --factor 4 --dry-run",
  ])
  func `a document does not depend on how much else is said`(arguments: String) throws {
    let documents = try ["", " --quiet", " --verbose", " -q -v"].map {
      try run(arguments + " --format json" + $0).output
    }
    #expect(Set(documents).count == 1)
  }

  @Test(arguments: [
    "inspect model", "table yarn", "verify wrong-base", "patch model --factor 4 --diff", "inspect missing", "--help",
  ]) func `nothing is coloured with NO_COLOR or away from a terminal`(arguments: String) throws {
    let words = arguments.split(separator: " ").map(String.init)
    let plain = try Command.run(words, environment: ["TERM": "xterm-256color"], cwd: folder.path)
    let colourless = try Command.run(words, environment: ["NO_COLOR": "1"], cwd: folder.path)
    #expect(plain.output == colourless.output && plain.errors == colourless.errors)
    #expect(!(plain.output + plain.errors).contains("\u{1b}"))
    guard let script = installed("script", orSkip: "NO_COLOR on a terminal") else { return }
    let terminal = try Command.run(
      script, ["-qec", "\(Command.path) \(arguments)", "/dev/null"],
      environment: ["NO_COLOR": "1", "TERM": "xterm-256color"], cwd: folder.path)
    #expect(!terminal.output.isEmpty && !terminal.output.contains("\u{1b}"), "\(terminal.output)")
  }

  // MARK: plans write nothing

  @Test(arguments: ["--dry-run", "--diff", "--check", "--dry-run --diff --check"], ["model", "plain", "yarn"])
  func `a plan writes nothing`(options: String, model: String) throws {
    let before = try folder.state()
    for method in ["--factor 8", "--context 300000", "--method linear --factor 2", "--method none"] {
      let outcome = try run("patch \(model) \(method) \(options)")
      #expect(outcome.exitCode == 0 || outcome.exitCode == 1 || outcome.exitCode == 2)
      #expect(outcome.exitCode != 1 || options.contains("--check"))
      #expect(try folder.state() == before)
    }
  }

  @Test func `a plan for an output writes nothing there`() throws {
    let before = try folder.state()
    #expect(try run("patch model --factor 4 --output copy --dry-run").exitCode == 0)
    #expect(try folder.state() == before)
  }

  @Test func `an output takes the patched model and leaves the model alone`() throws {
    let before = try folder.state()
    let outcome = try run("patch model --factor 4 --output copy")
    #expect(outcome.exitCode == 0 && outcome.errors == "")
    let after = try folder.state()
    #expect(after.filter { !$0.key.hasPrefix("copy") } == before)
    #expect(
      after.keys.filter { $0.hasPrefix("copy") }.sorted()
        == ["copy"] + before.keys.filter { $0.hasPrefix("model/") }.map { "copy" + $0.dropFirst(5) }.sorted())
    #expect(try run("verify copy --context 1024 --against model").exitCode == 0)
  }
}
