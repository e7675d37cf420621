import Diagnostics
import FileStore
import Foundation
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct ModelSearchTests {
  // MARK: what makes a model

  @Test func `a folder with a config, a GGUF or safetensors is a model, and so are those in it`() throws {
    let tree = try Tree([
      "a/config.json", "a/model.safetensors", "a/tokenizer_config.json", "a/tokenizer.json", "a/README.md",
      "a/original/params.json", "a/gguf/a-Q4_0.gguf", "a/checkpoint-500/config.json", "b/c/weights.safetensors",
      "d/model.safetensors.index.json", "adapter/adapter_model.safetensors", "adapter/adapter_config.json",
      "E/X.GGUF", "empty/notes.txt", "vocab/tokenizer_config.json",
    ])
    #expect(
      try tree.models() == [
        "E: E/X.GGUF", "a: a/config.json a/model.safetensors a/tokenizer_config.json",
        "a/checkpoint-500: a/checkpoint-500/config.json", "a/gguf: a/gguf/a-Q4_0.gguf",
        "b/c: b/c/weights.safetensors", "d: d/model.safetensors.index.json",
      ])
  }

  @Test func `GGUFs of one folder are one model when only their encoding differs`() throws {
    let tree = try Tree([
      "one/Qwen3-8B-Q4_K_M.gguf", "one/Qwen3-8B-UD-IQ2_XXS.gguf", "one/Qwen3-8B.i1-Q8_0.gguf", "one/qwen3-8b-f16.gguf",
      "one/mmproj-F16.gguf", "one/Qwen3-8B-BF16-00001-of-00002.gguf", "one/Qwen3-8B-BF16-00002-of-00002.gguf",
      "with-config/a-7b.Q4_0.gguf", "with-config/b-7b.Q4_0.gguf", "with-config/config.json",
      "many/a-7b.Q4_0.gguf", "many/b-8b.Q4_0-00001-of-00002.gguf", "many/b-8b.Q4_0-00002-of-00002.gguf",
      "many/mmproj-b.gguf",
    ])
    let models = try tree.search()
    #expect(
      models.map { "\($0.path) \($0.files.count)" } == [
        "many/a-7b.Q4_0.gguf 1", "many/b-8b.Q4_0-00001-of-00002.gguf 2", "one 7", "with-config 3",
      ])
  }

  @Test(arguments: [
    ("llama-2-7b.Q4_K_M.gguf", "llama-2-7b"), ("Meta-Llama-3.1-8B-Instruct-IQ4_XS.gguf", "meta-llama-3.1-8b-instruct"),
    ("QwQ-32B-Q6_K_L.gguf", "qwq-32b"), ("gpt-oss-20b-mxfp4.gguf", "gpt-oss-20b"), ("model.gguf", "model"),
    ("ggml-model-f16.gguf", "ggml-model"), ("Q4_0.gguf", "q4_0"), (".gguf", ""), ("-Q4_0.gguf", ""),
    ("a-bf16-00001-of-00003.gguf", "a"), ("bitnet-2b-TQ1_0.gguf", "bitnet-2b"),
  ])
  func `the name of a GGUF tells the model`(_ file: String, _ model: String) {
    #expect(ModelFileName.modelName(file) == model)
  }

  // MARK: arguments

  @Test func `a named file is a model whatever it is called, and any shard its set`() throws {
    let tree = try Tree(["x/a.bin", "x/m-00001-of-00002.gguf", "x/m-00002-of-00002.gguf", "x/.hidden/config.json"])
    #expect(
      try tree.models("x/m-00002-of-00002.gguf", "x/a.bin", "x/.hidden") == [
        "x/.hidden: x/.hidden/config.json", "x/a.bin: x/a.bin",
        "x/m-00002-of-00002.gguf: x/m-00001-of-00002.gguf x/m-00002-of-00002.gguf",
      ])
  }

  @Test func `what arguments have in common is found once`() throws {
    let tree = try Tree(["a/config.json", "a/b/config.json"])
    let expected = ["a: a/config.json", "a/b: a/b/config.json"]
    #expect(try tree.models("a/b", "a/", "a", "a/config.json", "a/b/config.json") == expected)
    #expect(try tree.models("a/b/config.json", "a") == expected)
  }

  @Test func `only an argument that does not exist is an error`() throws {
    let tree = try Tree(["a/config.json"])
    #expect(throws: FileError.self) { try tree.models("a", "nowhere") }
    do { _ = try tree.models("nowhere") } catch let error as FileError { #expect(error.code == .notFound) }
    #expect(try Tree([]).models() == [])
  }

  @Test func `models are in the order of their paths' bytes`() throws {
    let tree = try Tree(["a/config.json", "a/b/config.json", "a-b/config.json", "B/config.json", "é/config.json"])
    #expect(try tree.search().map(\.path) == ["B", "a", "a-b", "a/b", "é"])
  }

  // MARK: what is passed over

  @Test func `hidden folders and installed packages are passed over unless named`() throws {
    let tree = try Tree([
      ".git/config.json", ".venv/m/config.json", "node_modules/m/config.json", "lib/site-packages/t/config.json",
      "m/config.json", "m/._model.gguf",
    ])
    #expect(try tree.models() == ["m: m/config.json"])
    #expect(try tree.models(".venv", "node_modules").count == 2)
  }

  @Test func `a folder that cannot be read is a note`() throws {
    let tree = try Tree(["a/config.json", "locked/config.json", "z/config.json"])
    var search = ModelSearch(LyingFileSystem(refusing: "locked"))
    let models = try search.models(under: [tree.folder.path])
    #expect(models.map { tree.short($0.path) } == ["a", "z"])
    #expect(
      search.notes.map(tree.short) == ["locked: not searched, opendir failed: Permission denied (errno 13)"])
  }

  @Test func `a file system that states no kinds is asked for each`() throws {
    let tree = try Tree(["a/config.json", "b/config.json", ".hidden/config.json"])
    try tree.folder.link("c", to: "b")
    try tree.folder.link("d/config.json", to: "../nothing")
    var search = ModelSearch(LyingFileSystem(refusing: "none", statesKinds: false))
    #expect(try search.models(under: [tree.folder.path]).map { tree.short($0.path) } == ["a", "b"])
    #expect(search.notes.map(tree.short) == ["d/config.json: passed over, it is a link to nothing"])
  }

  @Test func `what Git LFS left behind is noted for a GGUF and does not hide a config`() throws {
    let tree = try Tree(["a/config.json"])
    let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".utf8)
    for name in ["a/model.safetensors", "a/a-Q4_0.gguf", "b/b-Q4_0.gguf"] { try tree.folder.write(pointer, to: name) }
    #expect(try tree.models() == ["a: a/config.json a/model.safetensors"])
    let remedy = "passed over, it is a Git LFS pointer; run `git lfs pull` to have it looked at"
    #expect(try tree.notes() == ["a/a-Q4_0.gguf: \(remedy)", "b/b-Q4_0.gguf: \(remedy)"])
  }

  @Test func `a very deep tree ends with a note`() throws {
    let tree = try Tree([])
    let levels = Array(repeating: "d", count: 150).joined(separator: "/")
    try tree.folder.write([], to: "\(levels)/config.json")
    try tree.folder.write([], to: "d/d/config.json")
    #expect(try tree.models() == ["d/d: d/d/config.json"])
    #expect(try tree.notes().count == 1)
    #expect(try tree.notes()[0].hasSuffix(": not searched, it is more than 100 folders deep"))
  }

  @Test func `names that are no text, long or strange do no harm`() throws {
    let tree = try Tree(["\(String(repeating: "n", count: 250)).gguf", "line\nbreak/config.json", "-/config.json"])
    mkdir("\(tree.folder.path)/\u{1}", 0o777)
    let bytes = Array("\(tree.folder.path)/".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
    mkdir(bytes, 0o777)
    #expect(try tree.search().count == 3)
    #expect(try tree.notes().count == 1)
  }

  // MARK: links

  @Test func `links are followed, loops end, and a model has its own name`() throws {
    let tree = try Tree(["tree/z/config.json", "elsewhere/m/config.json"])
    for (link, target) in [
      ("tree/a", "z"), ("tree/linked", "../elsewhere"), ("tree/z/self", "."), ("tree/up", ".."), ("tree/root", "/"),
      ("elsewhere/back", "../tree"), ("tree/nothing", "gone"),
    ] { try tree.folder.link(link, to: target) }
    #expect(
      try tree.models("tree") == ["tree/linked/m: tree/linked/m/config.json", "tree/z: tree/z/config.json"])
    #expect(try tree.notes("tree") == [])
    #expect(try tree.models("tree/a") == ["tree/a: tree/a/config.json"])
  }

  @Test func `a model of which every file was met is not given again`() throws {
    let tree = try Tree(["m/config.json", "m/model.safetensors"])
    try tree.folder.link("n/config.json", to: "../m/config.json")
    try FileManager.default.createDirectory(atPath: tree.folder["o"], withIntermediateDirectories: true)
    try tree.folder.hardLink("o/config.json", to: "m/config.json")
    try tree.folder.write([], to: "o/model.safetensors")
    #expect(try tree.search().map(\.path) == ["m", "o"])
  }

  // MARK: caches

  @Test(arguments: ["", "home", "home/.cache", "home/.cache/huggingface/hub"])
  func `the hub's cache is searched by its snapshots from any folder above`(_ start: String) throws {
    let tree = try Tree([])
    let hub = "home/.cache/huggingface/hub"
    let model = "\(hub)/models--org--name"
    for name in [
      "\(model)/blobs/1", "\(model)/blobs/2", "\(model)/blobs/3", "\(model)/refs/main",
      "\(model)/.no_exist/c1/config.json",
      "\(hub)/.locks/models--org--name/config.json", "\(hub)/version.txt",
      "\(hub)/datasets--o--d/snapshots/c/config.json",
      "\(hub)/spaces--o--s/snapshots/c/config.json", "\(model)/blobs/config.json",
    ] { try tree.folder.write([1], to: name) }
    for (link, blob) in [
      ("c1/config.json", 1), ("c1/model.safetensors", 2), ("c2/config.json", 3), ("c3/config.json", 1),
    ] {
      try tree.folder.link("\(model)/snapshots/\(link)", to: "../../blobs/\(blob)")
    }
    try tree.folder.link("\(model)/snapshots/c2/x-Q4_0.gguf", to: "../../blobs/9")
    try tree.folder.link("\(hub)/models--gpt2/snapshots/c4/onnx/config.json", to: "/dev/null")
    try tree.folder.write([], to: "\(hub)/models--gpt2/snapshots/c4/config.json")
    #expect(
      try tree.models(start) == [
        "\(hub)/models--gpt2/snapshots/c4 (gpt2@c4): \(hub)/models--gpt2/snapshots/c4/config.json",
        "\(model)/snapshots/c1 (org/name@c1): \(model)/snapshots/c1/config.json \(model)/snapshots/c1/model.safetensors",
        "\(model)/snapshots/c2 (org/name@c2): \(model)/snapshots/c2/config.json",
      ])
    #expect(try tree.notes(start) == ["\(model)/snapshots/c2/x-Q4_0.gguf: passed over, it is a link to nothing"])
  }

  @Test(arguments: ["", "home", "home/.ollama/models"])
  func `Ollama's store is searched by its manifests`(_ start: String) throws {
    let tree = try Tree([])
    let store = "home/.ollama/models"
    func blob(_ digit: Character) -> String { "sha256-\(String(repeating: digit, count: 64))" }
    func manifest(_ name: String, _ layers: [(type: String, digest: String)]) throws {
      let layers = layers.map { #"{"mediaType":"application/vnd.ollama.image.\#($0.type)","digest":"\#($0.digest)"}"# }
      let text = #"{"schemaVersion":2,"layers":[\#(layers.joined(separator: ","))]}"#
      try tree.folder.write(Array(text.utf8), to: "\(store)/manifests/\(name)")
    }
    func digest(_ digit: Character) -> String { "sha256:\(String(repeating: digit, count: 64))" }
    for digit in "ab" { try tree.folder.write([], to: "\(store)/blobs/\(blob(digit))") }
    try manifest("registry.ollama.ai/library/llama3/8b", [("model", digest("a")), ("template", digest("c"))])
    try manifest("registry.ollama.ai/library/llama3/latest", [("model", digest("a"))])
    try manifest("registry.ollama.ai/me/own/v1", [("model; x=y", digest("b"))])
    try manifest("hf.co/org/name/Q4_K_M", [("model", digest("d"))])
    try manifest("registry.ollama.ai/library/flux/1", [("tensor", digest("a"))])
    try manifest("registry.ollama.ai/library/evil/1", [("model", "sha256:../../../etc/passwd")])
    try tree.folder.write(Array("{".utf8), to: "\(store)/manifests/registry.ollama.ai/library/torn/1")
    try tree.folder.write([], to: "\(store)/manifests/registry.ollama.ai/.DS_Store")
    #expect(
      try tree.models(start) == [
        "\(store)/blobs/\(blob("a")) (llama3:8b, llama3:latest): \(store)/blobs/\(blob("a"))",
        "\(store)/blobs/\(blob("b")) (me/own:v1): \(store)/blobs/\(blob("b"))",
      ])
    let notes = try tree.notes(start)
    let library = "\(store)/manifests/registry.ollama.ai/library"
    #expect(
      notes.prefix(3) == [
        "\(store)/manifests/hf.co/org/name/Q4_K_M: hf.co/org/name:Q4_K_M passed over, its file \(store)/blobs/\(blob("d"))"
          + " is missing; run `ollama pull hf.co/org/name:Q4_K_M`",
        "\(library)/evil/1: evil:1 passed over, it names no model",
        "\(library)/flux/1: flux:1 passed over, its weights are stored tensor by tensor",
      ])
    #expect(notes.count == 4 && notes[3].hasPrefix("\(library)/torn/1: torn:1 passed over, "))
  }

  // MARK: size

  @Test func `ten thousand folders are one search`() throws {
    let tree = try Tree([])
    for index in 0..<10_000 {
      let folder = tree.folder["g\(index % 100)/m\(index)"]
      if index < 100 { mkdir(tree.folder["g\(index)"], 0o777) }
      mkdir(folder, 0o777)
      for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        close(open("\(folder)/\(name)", O_CREAT | O_WRONLY, 0o666))
      }
    }
    let clock = ContinuousClock()
    var count = 0
    let time = try clock.measure { count = try tree.search().count }
    #expect(count == 10_000)
    print("10,000 model folders: found in \(time)")
  }
}

/// A folder of files for a search, with paths as seen from it.
private struct Tree {
  let folder: ScratchFolder

  init(_ files: [String]) throws {
    folder = try ScratchFolder()
    for file in files { try folder.write([0x7b, 0x7d], to: file) }
  }

  func short(_ text: String) -> String { text.replacingOccurrences(of: "\(folder.path)/", with: "") }

  private func run(_ paths: [String]) throws -> (models: [FoundModel], notes: [String]) {
    var search = ModelSearch()
    let paths = paths.isEmpty ? [folder.path] : paths.map { $0.isEmpty ? folder.path : folder[$0] }
    return (try search.models(under: paths), search.notes)
  }

  func search(_ paths: String...) throws -> [FoundModel] {
    try run(paths).models.map { FoundModel(path: short($0.path), files: $0.files.map(short), name: $0.name) }
  }

  /// Each as `path (name): files`.
  func models(_ paths: String...) throws -> [String] {
    try run(paths).models.map { model in
      let name = model.name.map { " (\($0))" } ?? ""
      return "\(short(model.path))\(name): \(model.files.map(short).joined(separator: " "))"
    }
  }

  func notes(_ paths: String...) throws -> [String] { try run(paths).notes.map(short) }
}
