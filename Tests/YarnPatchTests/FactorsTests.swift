import Diagnostics
import PatchPlanning
import Runtimes
import TestSupport
import Testing
import YarnPatch

/// `--encoding factors` on files.
@Suite struct FactorsTests {
  static let model = "models/tiny-llama-ctx256/tiny-llama-ctx256-f16.gguf"

  static let custom = request(.yarn, 4) {
    ($0.betaFast, $0.betaSlow, $0.truncate, $0.encoding) = (16, 2, false, .factors)
  }

  static let fixtures = [
    model, "gguf/alignment-64.gguf", "gguf/llama-plain.gguf", "gguf/llama-plain.big-endian.gguf", "gguf/llama-v2.gguf",
    "gguf/vocabulary-only.gguf",
  ]

  @Test(arguments: fixtures)
  func `a file takes factors, others in their place, keys again, and undo leads back through all`(
    _ fixture: String
  ) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(fixture, as: "model.gguf")
    var states = [try folder.bytes("model.gguf")]
    for asked in [
      Self.custom, request(.yarn, 8) { $0.encoding = .factors },
      request(.yarn, 2) { ($0.betaFast, $0.betaSlow, $0.truncate) = (32, 1, true) }, request(.none),
    ] {
      let outcome = try patch(path, asked)
      #expect(outcome.verification?.passed == true && !outcome.plan.changesNothing)
      #expect(try patch(path, asked).plan.changesNothing)
      states.append(try folder.bytes("model.gguf"))
    }
    let declaration = try #require(try inspect(path).model.primary?.declaration)
    #expect(declaration.scalingKind == nil && declaration.frequencyDivisors == nil)
    while states.popLast() != nil, let former = states.last {
      #expect(try undoPatch(path).map(\.path) == [path])
      #expect(try folder.bytes("model.gguf") == former)
    }
  }

  @Test func `a patched file says what it stands for, to us and beside its keys`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(Self.model, as: "factors.gguf")
    let keys = try folder.copy(Self.model, as: "keys.gguf")
    let plain = try folder.copy(Self.model, as: "plain.gguf")
    _ = try patch(path, request(.yarn, 4) { $0.encoding = .factors })
    _ = try patch(keys, request(.yarn, 4))
    let difference = try diff(path, keys)
    #expect(difference.isSame && difference.settings.isEmpty)
    var options = VerifyOptions()
    options.against = plain
    #expect(try verify(path, options).passed)
    // Weights that differ beside the divisors are found.
    var bytes = try folder.bytes("factors.gguf")
    bytes[400_000] ^= 1
    try folder.write(bytes, to: "factors.gguf")
    #expect(try verify(path, options).checks.filter { !$0.passed }.map(\.id) == ["data"])
  }

  @Test func `a divisor that is off makes them custom`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(Self.model, as: "model.gguf")
    let size = try folder.bytes("model.gguf").count
    _ = try patch(path, Self.custom)
    var bytes = try folder.bytes("model.gguf")
    bytes[bytes.count - 2] ^= 0x10
    #expect(bytes.count > size)
    try folder.write(bytes, to: "model.gguf")
    let declaration = try inspect(path).model.primary?.declaration
    #expect(declaration?.frequencyDivisors != nil && declaration?.scalingKind == nil)
    // Nor are they any that follow from the base.
    #expect(refusal { try patch(path, Self.custom) }?.code == .storedTableDisagrees)
  }

  @Test func `a set gets the tensor in its first file`() throws {
    let folder = try ScratchFolder()
    let names = (1...3).map { "split-0000\($0)-of-00003.gguf" }
    for name in names { _ = try folder.copy("gguf/\(name)") }
    let before = folder.contents
    let outcome = try patch(folder[names[1]], Self.custom)
    #expect(outcome.files.map(\.path) == [folder[names[0]]] && outcome.verification?.passed == true)
    #expect(outcome.files[0].changes.contains { $0.at == "split.tensors.count" })
    #expect(names.dropFirst().allSatisfy { folder.contents[$0] == before[$0] })
    var options = VerifyOptions()
    options.attention = .off
    #expect(try verify(folder[names[2]], options).passed)
    _ = try undoPatch(folder[names[2]])
    #expect(folder.contents == before)
  }

  @Test func `a folder's config says it in keys and its GGUF in factors`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let asked = request(.yarn, 4) {
      $0.betaFast = 16
      $0.encoding = .auto
    }
    let outcome = try patch(path, asked)
    #expect(outcome.verification?.checks.contains { $0.id == "files-agree" && $0.passed } == true)
    #expect(outcome.plan.runtimes.count == 6)
    #expect(try patch(path, asked).plan.changesNothing)
  }

  @Test func `factors without a GGUF are refused`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/llama-plain", as: "model")
    #expect(refusal { try patch(path, Self.custom) }?.code == .badRequest)
  }

  @Test func `real files take factors where their architecture loads them, and are refused elsewhere`() throws {
    guard let root = Corpus.root else { return print(Corpus.absence) }
    let folder = try ScratchFolder()
    var (taken, refused) = (0, 0)
    for name in ["ggml-vocab-llama-spm", "ggml-vocab-qwen2", "ggml-vocab-phi-3", "weightless-tiny"] {
      guard let bytes = Corpus.bytes("gguf/\(name).gguf") else { continue }
      let path = try folder.write(bytes, to: "\(name).gguf")
      do throws(FileError) {
        var asked = Self.custom
        asked.base = 10_000
        let outcome = try patch(path, asked)
        #expect(outcome.verification?.passed == true)
        _ = try undoPatch(path)
        taken += 1
      } catch {
        #expect(error.code == .notExpressible, "\(name): \(error)")
        refused += 1
      }
      #expect(try folder.bytes("\(name).gguf") == bytes)
    }
    print("FactorsTests: \(taken) files of \(root) took factors, \(refused) were refused")
    #expect(taken > 0 && refused > 0)
  }
}
