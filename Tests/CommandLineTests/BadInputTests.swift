import Foundation
import TestSupport
import Testing

/// Files that no command may crash on, change, or stay silent about.
@Suite struct BadInputTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var name: String
    /// What the message must have as its place: an offset, a pointer or a key.
    var place: String
    var make: @Sendable () -> [UInt8]

    init(_ description: String, _ name: String, at place: String, _ make: @escaping @Sendable () -> [UInt8]) {
      testDescription = description
      self.name = name
      self.place = place
      self.make = make
    }
  }

  // MARK: GGUF

  static func header(_ changes: (inout GGUFBuilder) -> Void = { _ in }) -> [UInt8] {
    var builder = GGUFBuilder(
      metadata: [
        ("general.architecture", .string("llama")), ("llama.context_length", .uint32(4096)),
        ("llama.embedding_length", .uint32(64)), ("llama.attention.head_count", .uint32(2)),
        ("llama.rope.dimension_count", .uint32(32)), ("llama.rope.freq_base", .float32(10_000)),
      ], tensors: [.init("output.weight", [4], data: Array(repeating: 1, count: 16))])
    changes(&builder)
    return builder.bytes()
  }

  static func value(_ key: String, _ value: GGUFBuilder.Value) -> [UInt8] {
    header { builder in
      builder.metadata.removeAll { $0.key == key }
      builder.metadata.append((key, value))
    }
  }

  private static func gguf(_ description: String, at place: String, _ make: @escaping @Sendable () -> [UInt8]) -> Bad {
    Bad(description, "bad.gguf", at: place, make)
  }

  private static func count(_ value: UInt64) -> [UInt8] { GGUFBuilder().encode(value) }

  static let ggufs: [Bad] = [
    gguf("2⁶³-1 tensors", at: "byte 0x8") { header { $0.tensorCount = (1 << 63) - 1 } },
    gguf("2⁶³ keys", at: "byte 0x10") { header { $0.metadataCount = 1 << 63 } },
    gguf("2⁶⁴-1 keys", at: "byte 0x10") { header { $0.metadataCount = .max } },
    gguf("a string of 2⁶³-1 bytes", at: "key \"x\"") { value("x", .raw(type: 8, count((1 << 63) - 1))) },
    gguf("a string of 2⁶⁴-1 bytes", at: "key \"x\"") { value("x", .raw(type: 8, count(.max))) },
    gguf("a string of 100 GB", at: "key \"x\"") { value("x", .raw(type: 8, count(100_000_000_000))) },
    gguf("an array of 2⁶³-1 doubles", at: "key \"x\"") {
      value("x", .raw(type: 9, GGUFBuilder().encode(12 as UInt32) + count((1 << 63) - 1)))
    },
    gguf("an array of 2⁶¹ doubles", at: "key \"x\"") {
      value("x", .raw(type: 9, GGUFBuilder().encode(12 as UInt32) + count(1 << 61)))
    },
    gguf("arrays nested 10 000 deep", at: "key \"x\"") {
      let level = GGUFBuilder().encode(9 as UInt32) + count(1)
      return value("x", .raw(type: 9, Array(repeatElement(level, count: 10_000).joined())))
    },
    gguf("a tensor of 2⁶³ elements", at: "key \"output.weight\"") {
      header { $0.tensors[0].dimensions = [1 << 32, 1 << 31] }
    },
    gguf("a tensor at 2⁶⁴-32", at: "key \"output.weight\"") { header { $0.tensors[0].offset = .max - 31 } },
    gguf("a tensor of 100 GB", at: "key \"output.weight\"") { header { $0.tensors[0].dimensions = [25_000_000_000] } },
    gguf("alignment 0", at: "key \"general.alignment\"") { value("general.alignment", .uint32(0)) },
    gguf("alignment 3", at: "key \"general.alignment\"") { value("general.alignment", .uint32(3)) },
    gguf("alignment 2⁴⁰", at: "key \"general.alignment\"") { value("general.alignment", .uint64(1 << 40)) },
    gguf("the last number as that of a shard", at: "key \"split.no\"") {
      header { $0.metadata += [("split.no", .int64(.max)), ("split.count", .int64(2))] }
    },
    gguf("2⁶³-1 shards", at: "key \"split.count\"") {
      header { $0.metadata += [("split.no", .int64(0)), ("split.count", .int64(.max))] }
    },
    gguf("a key twice", at: "key \"llama.context_length\"") {
      header { $0.metadata.append(("llama.context_length", .uint32(8192))) }
    },
    gguf("a tensor name twice", at: "key \"output.weight\"") { header { $0.tensors.append($0.tensors[0]) } },
    gguf("a string that is not UTF-8", at: "key \"x\"") { value("x", .raw(type: 8, count(2) + [0xc0, 0x80])) },
    gguf("a key with an escape sequence", at: "key \"\\u{1B}[2J\\n\"") { value("\u{1b}[2J\n", .raw(type: 13, [])) },
    gguf("version 7", at: "byte 0x4") { header { $0.version = 7 } },
    gguf("no architecture", at: "key \"general.architecture\"") { header { $0.metadata.removeFirst() } },
    gguf("base 0", at: "key \"llama.rope.freq_base\"") { value("llama.rope.freq_base", .float32(0)) },
    gguf("base NaN", at: "key \"llama.rope.freq_base\"") { value("llama.rope.freq_base", .float32(.nan)) },
    gguf("base infinite", at: "key \"llama.rope.freq_base\"") { value("llama.rope.freq_base", .float32(.infinity)) },
    gguf("base below zero", at: "key \"llama.rope.freq_base\"") { value("llama.rope.freq_base", .float32(-1)) },
    gguf("base as text", at: "key \"llama.rope.freq_base\"") { value("llama.rope.freq_base", .string("10000")) },
    gguf("factor below zero", at: "key \"llama.rope.scaling.factor\"") {
      value("llama.rope.scaling.factor", .float32(-4))
    },
    gguf("factor NaN", at: "key \"llama.rope.scaling.factor\"") { value("llama.rope.scaling.factor", .float32(.nan)) },
    gguf("an odd rotary dimension", at: "key \"llama.rope.dimension_count\"") {
      value("llama.rope.dimension_count", .uint32(31))
    },
    gguf("a rotary dimension above the head", at: "key \"llama.rope.dimension_count\"") {
      value("llama.rope.dimension_count", .uint32(34))
    },
    gguf("a web page", at: "byte 0x0") { Array("<!DOCTYPE html><html>".utf8) },
    gguf("a Git LFS pointer", at: "byte 0x0") { Array("version https://git-lfs.github.com/spec/v1\n".utf8) },
    gguf("no bytes", at: "byte 0x0") { [] },
  ]

  // MARK: safetensors

  static func safetensors(_ header: String, length: UInt64? = nil, data: Int = 16) -> [UInt8] {
    GGUFBuilder().encode(length ?? UInt64(header.utf8.count)) + Array(header.utf8) + Array(repeating: 0, count: data)
  }

  static let tensor = #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#

  private static func weights(_ description: String, at place: String, _ bytes: [UInt8]) -> Bad {
    Bad(description, "bad.safetensors", at: place) { bytes }
  }

  static let weightFiles: [Bad] = [
    weights("a header of 2⁶³-1 bytes", at: "byte 0x", safetensors(tensor, length: (1 << 63) - 1)),
    weights("a header of 2⁶⁴-1 bytes", at: "byte 0x", safetensors(tensor, length: .max)),
    weights("a header of 100 GB", at: "byte 0x", safetensors(tensor, length: 100_000_000_000)),
    weights("a header of no bytes", at: "byte 0x", safetensors("", data: 0)),
    weights("a name twice", at: "byte 0x", safetensors(tensor.dropLast() + "," + tensor.dropFirst())),
    weights("a shape of 2⁶³", at: "key \"a\"", safetensors(tensor.replacing("[4]", with: "[9223372036854775808]"))),
    weights(
      "a shape that overflows", at: "key \"a\"", safetensors(tensor.replacing("[4]", with: "[4294967296,4294967296]"))),
    weights("offsets near 2⁶⁴", at: "key \"a\"", safetensors(tensor.replacing("0,16", with: "0,18446744073709551615"))),
    weights("offsets turned round", at: "key \"a\"", safetensors(tensor.replacing("0,16", with: "16,0"))),
    weights("a shape below zero", at: "key \"a\"", safetensors(tensor.replacing("[4]", with: "[-4]"))),
    weights("bytes behind the data", at: "byte 0x", safetensors(tensor, data: 32)),
    weights("too little data", at: "byte 0x", safetensors(tensor, data: 8)),
    weights("nesting 10 000 deep", at: "byte 0x", safetensors(#"{"a":"# + String(repeating: "[", count: 10_000))),
    weights("an array", at: "byte 0x", safetensors("[]", data: 0)),
    weights("a web page", at: "byte 0x0", Array("<html><body>Sign in</body></html>".utf8)),
  ]

  // MARK: config.json

  private static let plain = """
    {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 2, "head_dim": 32,
     "max_position_embeddings": 4096, "rope_theta": 10000.0, "rope_scaling": null}

    """

  private static func config(_ description: String, at place: String, _ text: String) -> Bad {
    Bad(description, "config.json", at: place) { Array(text.utf8) }
  }

  private static func config(_ description: String, at place: String, _ old: String, _ new: String) -> Bad {
    config(description, at: place, plain.replacing(old, with: new))
  }

  private static func scaling(_ description: String, at member: String, _ members: String) -> Bad {
    config(
      description, at: "at /rope_scaling/\(member)", "null",
      #"{"rope_type": "yarn", "original_max_position_embeddings": 1024, \#(members)}"#)
  }

  static let configs: [Bad] =
    [
      ("base null", "null"), ("base as text", "\"10000\""), ("base 0", "0"), ("base below zero", "-10000.0"),
      ("base 1", "1.0"), ("base infinite", "Infinity"), ("base NaN", "NaN"), ("base beyond a double", "1e309"),
      ("base true", "true"), ("base in a list", "[10000]"),
    ].map { config($0, at: "at /rope_theta", "10000.0", $1) }
    + [
      ("factor 0", "0"), ("factor below zero", "-4"), ("factor NaN", "NaN"), ("factor beyond a double", "1e309"),
      ("factor as text", "\"4\""), ("factor null", "null"),
    ].map { scaling($0, at: "factor", "\"factor\": \($1)") } + [
      scaling("beta fast below zero", at: "beta_fast", #""factor": 4, "beta_fast": -1"#),
      config("an odd rotary dimension", at: "at /head_dim", "\"head_dim\": 32", "\"head_dim\": 31"),
      config("a rotary dimension above the head", at: "at /rotary_dim", "{", "{\"rotary_dim\": 34, "),
      config("a rotary dimension of 2⁶³", at: "at /rotary_dim", "{", "{\"rotary_dim\": 9223372036854775808, "),
      config("a rotary share above 1", at: "at /partial_rotary_factor", "{", "{\"partial_rotary_factor\": 1.5, "),
      config("a window of 0", at: "at /max_position_embeddings", "4096", "0"),
      config("a window of 1e400", at: "at /max_position_embeddings", "4096", "1e400"),
      config("a member twice", at: "at /rope_theta", "\"rope_scaling\": null", "\"rope_theta\": 500000.0"),
      config("no bytes", at: "byte 0x0", ""), config("white space alone", at: "byte 0x0", " \n\n"),
      config("a web page", at: "byte 0x0", "<!doctype html>\n<html></html>\n"),
      config("a Git LFS pointer", at: "byte 0x0", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
      config("an array", at: "byte 0x0", "[\(plain)]\n"), config("a number", at: "byte 0x0", "4\n"),
      config("a byte order mark", at: "byte 0x0", "\u{feff}\(plain)"),
      config("a comment", at: "byte 0x", "{ // theta\n" + plain.dropFirst()),
      config("a trailing comma", at: "byte 0x", "null}", "null,}"),
      config("text behind the document", at: "byte 0x", plain + "}"),
      config("a NUL byte", at: "byte 0x", "llama", "ll\0ma"),
      config("half a surrogate pair", at: "byte 0x", "llama", "\\ud800"),
      config("lists nested 10 000 deep", at: "byte 0x", "null", String(repeating: "[", count: 10_000)),
      config(
        "objects nested 10 000 deep", at: "byte 0x", "null",
        String(repeating: "{\"a\":", count: 10_000) + "1" + String(repeating: "}", count: 10_000)),
      config("3 MB and no end", at: "byte 0x", "null}", "[" + String(repeating: "12345,\n", count: 430_000)),
      Bad("a string that is not UTF-8", "config.json", at: "byte 0x") {
        Array(plain.utf8).flatMap { $0 == UInt8(ascii: "m") ? [0xff] : [$0] }
      },
    ]

  // MARK: every one of them

  @Test(arguments: ggufs + weightFiles + configs, ["inspect", "patch"])
  func `a bad file is refused with place, finding, expectation and remedy`(bad: Bad, command: String) throws {
    let folder = try ScratchFolder()
    try folder.write(bad.make(), to: bad.name)
    let options = command == "patch" ? ["--factor", "4"] : []
    try expectRefusal([command, bad.name] + options, in: folder, at: bad.place)
  }

  @Test(arguments: [ggufs[0], ggufs[8], weightFiles[0], configs[0], configs[6]])
  func `the other commands refuse it as well`(bad: Bad) throws {
    let folder = try ScratchFolder()
    try folder.write(bad.make(), to: "model/\(bad.name)")
    for arguments in [
      ["table", "model"], ["verify", "model"], ["advise", "model", "--context", "8192"],
      ["patch", "model", "--method", "none", "--diff"],
    ] {
      try expectRefusal(arguments, in: folder, file: "model/\(bad.name)", at: bad.place)
    }
  }
}
