import Diagnostics
import Foundation
import TestSupport
import Testing
import YarnPatch

/// Files that end too early, claim too much, or are no files.
@Suite struct HostileFileTests {
  // MARK: cut off

  struct Small: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// From here on a file that is cut off may be whole.
    var end: Int
    var testDescription: String { name }
  }

  static let small: [Small] = {
    let gguf = BadInputTests.header()
    let weights = BadInputTests.safetensors(BadInputTests.tensor)
    let config = Array(try! Data(contentsOf: URL(fileURLWithPath: Fixture.path("config/yarn-old/config.json"))))
    return [
      Small(name: "m.gguf", bytes: gguf, end: gguf.count),
      Small(name: "m.safetensors", bytes: weights, end: weights.count),
      Small(name: "config.json", bytes: config, end: config.lastIndex(of: UInt8(ascii: "}"))!),
    ]
  }()

  @Test(arguments: small) func `every beginning of a file is refused`(file: Small) throws {
    let folder = try ScratchFolder()
    for length in 0...file.end {
      try folder.write(Array(file.bytes[..<length]), to: file.name)
      do throws(FileError) {
        _ = try inspect("\(folder.path)/\(file.name)")
        #expect(length == file.bytes.count, "\(length) bytes are taken for a whole file")
      } catch {
        #expect(length < file.bytes.count, "\(error)")
        #expect(error.location.byteOffset != nil && !error.found.isEmpty && !error.expected.isEmpty, "\(length) bytes")
        #expect(!error.remedy.isEmpty, "\(length) bytes")
      }
    }
  }

  @Test(arguments: small) func `the command refuses beginnings of a file`(file: Small) throws {
    for length in stride(from: 0, to: file.end, by: max(1, file.end / 40)) {
      let folder = try ScratchFolder()
      try folder.write(Array(file.bytes[..<length]), to: file.name)
      try expectRefusal(["patch", file.name, "--factor", "4"], in: folder, at: "byte 0x")
    }
  }

  // MARK: 100 GB, nearly all of it a hole

  struct Giant: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var name = "m.gguf"
    var start: [UInt8]
    var place: String
    var limits = Command.Limits()
  }

  private static func array(_ type: UInt32, _ count: UInt64) -> [UInt8] {
    var builder = GGUFBuilder(metadata: [("x", .raw(type: 9, GGUFBuilder().encode(type) + GGUFBuilder().encode(count)))]
    )
    builder.padsHeader = false
    return builder.bytes()
  }

  private static func counts(tensors: UInt64, keys: UInt64) -> [UInt8] {
    var builder = GGUFBuilder()
    (builder.tensorCount, builder.metadataCount, builder.padsHeader) = (tensors, keys, false)
    return builder.bytes()
  }

  static let giants = [
    Giant(
      testDescription: "a string of 99 GB",
      start: { () -> [UInt8] in
        var builder = GGUFBuilder(metadata: [("x", .raw(type: 8, GGUFBuilder().encode(99_000_000_000 as UInt64)))])
        builder.padsHeader = false
        return builder.bytes()
      }(), place: "key \"x\""),
    Giant(testDescription: "an array of 12 billion strings", start: array(8, 12_000_000_000), place: "key \"x\""),
    Giant(testDescription: "an array of 8 billion arrays", start: array(9, 8_000_000_000), place: "key \"x\""),
    Giant(testDescription: "99 billion bytes", start: array(0, 99_000_000_000), place: "key \"general.architecture\""),
    Giant(testDescription: "99 billion bools", start: array(7, 99_000_000_000), place: "key \"general.architecture\""),
    Giant(testDescription: "5 billion keys", start: counts(tensors: 0, keys: 5_000_000_000), place: "byte 0x"),
    Giant(testDescription: "3 billion tensors", start: counts(tensors: 3_000_000_000, keys: 0), place: "byte 0x"),
    Giant(
      testDescription: "a safetensors header of 99 GB", name: "m.safetensors",
      start: BadInputTests.safetensors("{", length: 99_000_000_000), place: "byte 0x0"),
    // The format allows a header of 100 MB, which is read as a whole.
    Giant(
      testDescription: "a safetensors header of 100 MB", name: "m.safetensors",
      start: BadInputTests.safetensors("{", length: 100_000_000), place: "byte 0x9",
      limits: .init(memory: 160 << 20, seconds: 4)),
    Giant(testDescription: "a config.json of 100 GB", name: "config.json", start: Array("{".utf8), place: ""),
    Giant(testDescription: "100 GB of nothing", name: "model.bin", start: [], place: "byte 0x0"),
  ]

  @Test(arguments: giants) func `a sparse file of 100 GB is refused at once`(giant: Giant) throws {
    let folder = try ScratchFolder()
    guard try makeGiant(giant.name, giant.start, in: folder) else { return }
    for command in [["inspect", giant.name], ["patch", giant.name, "--factor", "4"]] {
      try expectRefusal(command, in: folder, at: giant.place, limits: giant.limits)
    }
  }

  @Test func `of a good file of 100 GB only the header is read`() throws {
    let folder = try ScratchFolder()
    let start = BadInputTests.header { $0.tensors[0].dimensions = [24_000_000_000] }
    guard try makeGiant("m.gguf", start, in: folder) else { return }
    for arguments in [
      ["inspect", "m.gguf"], ["patch", "m.gguf", "--factor", "4", "--dry-run"], ["verify", "m.gguf"],
    ] {
      let outcome = try Command.run(arguments, cwd: folder.path, limits: .init())
      #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome.errors)")
    }
  }

  private func makeGiant(_ name: String, _ start: [UInt8], in folder: ScratchFolder) throws -> Bool {
    try folder.write(start, to: name)
    guard truncate("\(folder.path)/\(name)", 100_000_000_000) != 0 else { return true }
    print("skipped: sparse files of 100 GB, because the file system of \(folder.path) does not take them")
    return false
  }

  // MARK: large and good

  @Test func `a config.json of 3 MB works`() throws {
    let folder = try ScratchFolder(["config.json": "config/llama-plain/config.json"])
    let text = try folder.text("config.json")
    // A debug build is ten times slower: it gets longer values instead of many, and more time.
    #if DEBUG
      let strings = 3_000
      let limits = Command.Limits(memory: 192 << 20, seconds: 8)
    #else
      let strings = 290_000
      let limits = Command.Limits(memory: 192 << 20)
    #endif
    let string = "\"" + String(repeating: "x", count: 3_000_000 / strings) + "\""
    let list = Array(repeating: string, count: strings).joined(separator: ",\n")
    try folder.write("{\n  \"table\": [\(list)]," + text.dropFirst(), to: "config.json")
    let before = try folder.state()
    for arguments in [["patch", "config.json", "--factor", "4"], ["undo", "config.json"]] {
      let outcome = try Command.run(arguments, cwd: folder.path, limits: limits)
      #expect(outcome.exitCode == 0, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors == "" && outcome.output.utf8.count < 5000)
    }
    #expect(try folder.state() == before)
  }

  // MARK: numbers at the end of their range

  @Test(arguments: [
    "inspect", "table", "table --sequence-length 2147483647", "verify", "patch --factor 2 --dry-run",
    "patch --context 8192 --dry-run", "patch --method none --dry-run", "patch --method linear --context 8192 --check",
    "patch --method ntk --factor 4 --dry-run", "patch --original-context 2147483647 --factor 1 --dry-run",
    "advise --context 1", "advise --context 2147483647",
  ]) func `extreme lengths, factors and bases crash no command`(words: String) throws {
    let longest = GGUFBuilder.Value.uint64(UInt64(Int64.max))
    let extremes: [[(String, GGUFBuilder.Value)]] =
      [
        [("llama.context_length", longest)], [("llama.context_length", .uint64(.max))],
        [("llama.rope.dimension_count", .uint64(1 << 62)), ("llama.attention.key_length", .uint64(1 << 62))],
        [("llama.block_count", .uint32(.max))], [("llama.attention.head_count_kv", .uint64(.max))],
        [("llama.rope.freq_base", .float64(1e308))], [("llama.rope.freq_base", .float64(1 + 0x1p-52))],
      ]
      + ["linear", "yarn", "longrope", "none", "\u{1b}[2J"].map { kind in
        [
          ("llama.context_length", longest), ("llama.rope.scaling.type", .string(kind)),
          ("llama.rope.scaling.factor", .float64(1e300)), ("llama.rope.scaling.attn_factor", .float64(1e308)),
          ("llama.rope.scaling.original_context_length", longest),
        ]
      }
    let folder = try ScratchFolder()
    for settings in extremes {
      try folder.write(
        BadInputTests.header { builder in
          builder.metadata.removeAll { entry in settings.contains { $0.0 == entry.key } }
          builder.metadata += settings.map { (key: $0.0, value: $0.1) }
        }, to: "m.gguf")
      var arguments = words.split(separator: " ").map(String.init)
      arguments.insert("m.gguf", at: 1)
      let outcome = try Command.run(arguments, cwd: folder.path, limits: .init())
      #expect([0, 1, 2].contains(outcome.exitCode), "\(settings.last!): \(outcome.errors)")
      #expect(!(outcome.output + outcome.errors).contains("\u{1b}"))
    }
  }

  @Test(arguments: [
    "inspect", "table --runtime all", "verify --context 9000", "lint", "advise --context 9000",
    "report --context 9000", "patch --factor 4 --dry-run",
  ]) func `a head of any size takes neither memory nor time`(words: String) throws {
    let folder = try ScratchFolder()
    for power in [17, 20, 30, 31, 40, 53] {
      // 32 elements of the head rotate, which alone is no problem.
      let share = "\"partial_rotary_factor\": \(32 / Double(1 << power))"
      for head in ["\"head_dim\": \(1 << power), \"hidden_size\": 64", "\"hidden_size\": \(1 << power + 1)"] {
        for scaling in ["null", "{\"rope_type\": \"yarn\", \"factor\": 2.0}"] {
          try folder.write(
            """
            {"model_type": "llama", \(head), "num_attention_heads": 2, "num_hidden_layers": 2, \(share),
             "rope_theta": 10000.0, "max_position_embeddings": 4096, "rope_scaling": \(scaling)}
            """, to: "\(power)/config.json")
          try expectAnEnd(words, "\(power)/config.json", in: folder)
        }
      }
      for key in ["llama.attention.key_length", "llama.embedding_length"] {
        try folder.write(BadInputTests.value(key, .uint64(1 << power)), to: "\(power)/m.gguf")
        try expectAnEnd(words, "\(power)/m.gguf", in: folder)
      }
    }
  }

  @Test(arguments: ["patch --factor 4 --dry-run", "table --runtime all", "inspect"])
  func `thousands of kinds of layers are refused at once`(words: String) throws {
    let folder = try ScratchFolder()
    let kinds = (0..<2000).map { "\"kind\($0)\"" }
    let dictionary = "{\"rope_type\": \"default\", \"rope_theta\": 10000.0}"
    try folder.write(
      """
      {"model_type": "llama", "head_dim": 32, "hidden_size": 64, "num_attention_heads": 2,
       "max_position_embeddings": 4096, "layer_types": [\(kinds.joined(separator: ", "))],
       "rope_parameters": {\(kinds.map { "\($0): \(dictionary)" }.joined(separator: ", "))}}
      """, to: "config.json")
    let arguments = words.split(separator: " ").map(String.init)
    try expectRefusal(
      [arguments[0], "config.json"] + arguments.dropFirst(), in: folder, at: "/rope_parameters",
      says: "at most 64")
  }

  @Test(arguments: ["[]", "{}"]) func `millions of empty values are refused at once`(value: String) throws {
    let folder = try ScratchFolder(["config.json": "config/llama-plain/config.json"])
    let text = try folder.text("config.json")
    let list = Array(repeating: value, count: 1_000_000).joined(separator: ",")
    try folder.write("{\n  \"table\": [\(list)]," + text.dropFirst(), to: "config.json")
    try expectRefusal(["patch", "config.json", "--factor", "4"], in: folder, at: "byte 0x", says: "counting as eight")
  }

  /// Any answer, within what any file may take.
  private func expectAnEnd(_ words: String, _ name: String, in folder: ScratchFolder) throws {
    var arguments = words.split(separator: " ").map(String.init)
    arguments.insert(name, at: 1)
    let outcome = try Command.run(
      arguments, cwd: folder.path, limits: .init(memory: 160 << 20, seconds: 10))
    #expect(outcome.exitCode.map { 0...2 ~= $0 } == true, "\(words) of \(name): \(outcome.errors)")
  }

  // MARK: no files

  @Test func `what is no file is refused and never waited for`() throws {
    let folder = try ScratchFolder(["model": "config/llama-plain"])
    mkfifo("\(folder.path)/pipe.gguf", 0o600)
    mkfifo("\(folder.path)/pipe.json", 0o600)
    for name in ["folder.gguf", "piped", "nested/config.json"] {
      try FileManager.default.createDirectory(atPath: folder[name], withIntermediateDirectories: true)
    }
    mkfifo("\(folder.path)/piped/config.json", 0o600)
    symlink("nowhere", "\(folder.path)/dangling.gguf")
    symlink("circle.gguf", "\(folder.path)/circle.gguf")
    for (path, file, words) in [
      ("pipe.gguf", "pipe.gguf", "this is a pipe"), ("pipe.json", "pipe.json", "this is a pipe"),
      ("piped", "piped/config.json", "this is a pipe"), ("/dev/null", "/dev/null", "this is a device"),
      ("folder.gguf", "folder.gguf", "the folder holds no model file"),
      ("nested", "nested/config.json", "this is a folder"), ("missing.gguf", "missing.gguf", "No such file"),
      ("dangling.gguf", "dangling.gguf", "No such file"),
      ("model/config.json/config.json", "model/config.json/config.json", "Not a directory"),
    ] {
      for arguments in [["inspect", path], ["patch", path, "--factor", "4"]] {
        try expectRefusal(arguments, in: folder, file: file, says: words)
      }
    }
    let tooLong = String(repeating: "n", count: 300)
    try expectRefusal(["inspect", "circle.gguf"], in: folder, says: "symbolic link")
    try expectRefusal(["inspect", tooLong], in: folder, says: "File name too long")
    try expectRefusal(["verify", "model", "--expect", "pipe.json"], in: folder, file: "pipe.json", says: "a pipe")
    try expectRefusal(["verify", "model", "--against", "/dev/zero"], in: folder, file: "/dev/zero", says: "a device")
  }
}
