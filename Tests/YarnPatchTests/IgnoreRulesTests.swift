import FileStore
import Foundation
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct IgnoreRulesTests {
  @Test(arguments: [
    // a name anywhere, and what is anchored
    ("m.gguf", ["m.gguf", "a/m.gguf"], ["m.ggufx", "xm.gguf"]), ("/a", ["a"], ["b/a"]),
    ("a/b", ["a/b"], ["x/a/b", "b"]),
    ("*.gguf", ["m.gguf", "a/m.gguf", ".gguf"], ["gguf"]), ("a/*", ["a/b", "a/b/c"], ["b"]),
    ("?", ["a", "a/b"], ["ab"]),
    // any number of folders
    ("**/b", ["b", "a/b", "a/c/b"], ["ab"]), ("a/**", ["a/b", "a/b/c"], ["a"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb"]),
    ("a**b", ["ab", "axb", "c/axb"], ["a/b"]), ("/**", ["a", "a/b"], []), ("a/**b", ["a/b", "a/xb"], ["a/x/b"]),
    ("***/b", ["b", "a/b"], ["c"]),
    // sets
    ("[a-c]", ["a", "c"], ["d", "-"]), ("[!a-c]", ["d", "-"], ["a"]), ("[^a]", ["b"], ["a"]),
    ("[]a]", ["]", "a"], ["b"]),
    ("[a-]", ["a", "-"], ["b"]), ("[[:digit:]x]", ["7", "x"], ["y", ":"]), ("[\\]]", ["]"], ["\\"]),
    ("[[:no:]]", [], ["n"]),
    ("[a", [], ["[a", "a"]), ("[z-a]", ["z"], ["a"]), ("[a-c-e]", ["b", "-", "e"], ["d"]),
    ("x[a/b]y", ["xay", "xby"], ["x/y"]),
    // escapes and spaces
    ("\\#a", ["#a"], ["a"]), ("#a", [], ["#a"]), ("\\!a", ["!a"], ["a"]), ("a ", ["a"], ["a "]),
    ("a\\ ", ["a "], ["a"]),
    ("\\*", ["*"], ["a"]), ("a\\", [], ["a", "a\\"]), ("a\\\\ ", ["a\\"], ["a\\ "]), ("a b", ["a b"], ["a"]),
    ("a\r", ["a"], ["a\r"]),
    ("a\\/b", ["a/b"], ["b"]), ("//a", [], ["a"]), ("a//", [], ["a"]),
  ])
  func `a pattern matches what git matches`(_ pattern: String, _ ignored: [String], _ kept: [String]) throws {
    for path in ignored { #expect(isIgnored(path, by: "\(pattern)\n"), "\(pattern) \(path)") }
    for path in kept { #expect(!isIgnored(path, by: "\(pattern)\n"), "\(pattern) \(path)") }
    if let git = try Repository() {
      try git.folder.write(Array("\(pattern)\n".utf8), to: ".gitignore")
      #expect(try git.ignored(of: ignored + kept) == Set(ignored))
    }
  }

  @Test func `the last line decides, and a folder's own rules before those above`() throws {
    let tree = try ScratchFolder()
    for (name, text) in [
      (".gitignore", "*.gguf\n!keep.gguf\n/build/\nbuild2/\nsecret\n"),
      ("a/.gitignore", "\u{feff}!*.gguf\r\nkeep.gguf"),
      ("build/.gitignore", "!*\n"),
    ] { try tree.write(Array(text.utf8), to: name) }
    try FileManager.default.createDirectory(atPath: tree[".git"], withIntermediateDirectories: true)
    for name in ["x", "keep", "a/x", "a/keep", "build/x", "a/secret/x", "a/build/x"] {
      try tree.write([], to: "\(name).gguf")
    }
    try tree.link("build2", to: "build")
    var search = ModelSearch()
    let models = try search.models(under: [tree.path])
    #expect(
      models.flatMap(\.files).map { $0.dropFirst(tree.path.count + 1) } == [
        "keep.gguf", "a/x.gguf", "a/build/x.gguf", "build2/x.gguf",
      ])
    #expect(search.notes == ["4 files and folders passed over, as .gitignore says; name one to have it looked at"])
  }

  @Test func `what is named is searched, under the rules of its repository`() throws {
    let tree = try ScratchFolder()
    try tree.write(Array("/models/\n*.safetensors\n".utf8), to: ".gitignore")
    try FileManager.default.createDirectory(atPath: tree[".git"], withIntermediateDirectories: true)
    for name in [
      "models/a/config.json", "models/a/model.safetensors", "b/config.json", "other/.git/HEAD", "other/x.safetensors",
    ] {
      try tree.write([], to: name)
    }
    func files(_ names: String...) throws -> [String] {
      var search = ModelSearch()
      let paths = names.map { tree[$0] }
      return try search.models(under: paths).flatMap(\.files).map { String($0.dropFirst(tree.path.count + 1)) }
    }
    #expect(try files(".").map { $0.dropFirst(2) } == ["b/config.json", "other/x.safetensors"])
    #expect(try files("models") == ["models/a/config.json"])
    #expect(try files("models/a/model.safetensors") == ["models/a/model.safetensors"])
    #expect(try files("other") == ["other/x.safetensors"])
  }

  @Test func `a list of patterns that is too large is noted, and a hostile one takes no time`() throws {
    let tree = try ScratchFolder()
    try tree.write([UInt8](repeating: UInt8(ascii: "\n"), count: 300_000), to: "large/.gitignore")
    try tree.write([], to: "large/config.json")
    let stars = String(repeating: "*a", count: 120)
    try tree.write(
      Array((stars + "\n" + String(repeating: "**/\(stars)/", count: 50) + "b\n").utf8), to: "stars/.gitignore")
    let name = String(repeating: "a", count: 240) + "b.gguf"
    try tree.write([], to: "stars/\(name)")
    var search = ModelSearch()
    #expect(try search.models(under: [tree.path]).count == 2)
    #expect(search.notes == ["\(tree["large/.gitignore"]): not applied, the file has 300000 bytes"])
  }

  @Test(arguments: 0..<UInt64(25))
  func `random rules ignore what git ignores`(_ seed: UInt64) throws {
    guard let git = try Repository() else { return }
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "a", "b", "ab", "*", "**", "?", "/", "/", "[ab]", "[!a]", "\\a", "a*", "*b", "[a-b]", "**/", "/**", " ",
      "[[:alpha:]]", "-",
    ]
    func line() -> String {
      let count = Int.random(in: 1...5, using: &generator)
      let pattern = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
      // Here git does not do what it says; see `IgnorePattern`.
      let literal = pattern.prefix { !"*?[\\".contains($0) }
      if !literal.isEmpty, literal.last != "/", pattern.dropFirst(literal.count).hasPrefix("**") { return line() }
      return Int.random(in: 0..<4, using: &generator) == 0 ? "!\(pattern)" : pattern
    }
    func lines() -> [UInt8] {
      Array((0..<Int.random(in: 1...4, using: &generator)).map { _ in line() }.joined(separator: "\n").utf8)
    }
    var files: Set<String> = []
    for _ in 0..<60 {
      let parts = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        (0..<Int.random(in: 1...3, using: &generator)).map { _ in
          ["a", "b", "-"].randomElement(using: &generator) ?? ""
        }.joined()
      }
      files.insert(parts.joined(separator: "/") + ".f")
    }
    for file in files { try git.folder.write([], to: file) }
    try git.folder.write(lines(), to: ".gitignore")
    for folder in Set(files.filter { $0.contains("/") }.map { String($0.prefix { $0 != "/" }) }).sorted().prefix(3) {
      try git.folder.write(lines(), to: "\(folder)/.gitignore")
    }
    let mine = try files.filter { try git.isIgnored($0) }
    let difference = try git.ignored(of: Array(files)).symmetricDifference(mine).sorted()
    let rules = try git.folder.names.filter { $0.hasSuffix(".gitignore") }.map { ($0, try git.folder.text($0)) }
    #expect(difference == [], "seed \(seed): \(rules)")
  }

  /// As a walk from the top asks: each folder on the way first.
  private func isIgnored(_ path: String, by text: String) -> Bool {
    var rules = IgnoreRules(Array(text.utf8), in: "top", below: nil)
    let parts = path.split(separator: "/").map(String.init)
    for (index, part) in parts.enumerated() {
      if rules.ignore(part, isFolder: index < parts.count - 1) { return true }
      rules = IgnoreRules([], in: part, below: rules)
    }
    return false
  }
}

/// A scratch repository that git itself is asked about.
private struct Repository {
  let folder: ScratchFolder

  /// `nil` where there is no git; says so.
  init?() throws {
    folder = try ScratchFolder()
    guard try Self.git(["init", "-q"], in: folder.path, "") != nil else {
      print("git is not installed: rules were not compared with it")
      return nil
    }
  }

  func ignored(of paths: [String]) throws -> Set<String> {
    let input = paths.joined(separator: "\0") + "\0"
    let output = try Self.git(["check-ignore", "--no-index", "-z", "--stdin"], in: folder.path, input) ?? ""
    return Set(output.split(separator: "\0").map(String.init))
  }

  /// As the search asks, with the files of each folder on the way.
  func isIgnored(_ path: String) throws -> Bool {
    var rules: IgnoreRules?
    var place = folder.path
    let parts = path.split(separator: "/").map(String.init)
    for (index, part) in parts.enumerated() {
      let here = IgnoreRules(try POSIXFileSystem().ignoreText(in: place), in: Path.name(of: place), below: rules)
      if here.ignore(part, isFolder: index < parts.count - 1) { return true }
      rules = here
      place += "/\(part)"
    }
    return false
  }

  private static func git(_ arguments: [String], in folder: String, _ input: String) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", folder, "-c", "core.excludesFile=/dev/null"] + arguments
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = FileHandle.nullDevice
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 127 ? nil : String(decoding: output, as: UTF8.self)
  }
}
