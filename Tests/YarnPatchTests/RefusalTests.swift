import Diagnostics
import FileStore
import Foundation
import Glibc
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct RefusalTests {
  @Test(arguments: [
    "gguf/bert.gguf", "config/bert/config.json", "config/t5/config.json", "config/alibi-mpt/config.json",
  ])
  func `a model without rotation is refused, and nothing is written`(_ fixture: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(fixture)
    let before = folder.contents
    #expect(refusal { try patch(path, request(.yarn, 4)) }?.code == .notRoPE)
    #expect(folder.contents == before)
  }

  static let bad = ((try? Fixture.names(in: "config")) ?? []).filter { $0.hasPrefix("bad-") }

  @Test(arguments: bad)
  func `a bad config is refused with its place, and nothing is written`(_ name: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/\(name)", as: "model")
    let before = folder.contents
    for model in [path, "\(path)/config.json"] {
      for method in PatchMethod.allCases {
        let error = refusal { try patch(model, request(method, 4)) }
        #expect(error?.location.path == "\(path)/config.json")
        #expect(error?.location.key != nil || error?.location.byteOffset != nil)
        #expect(error.map { ![$0.found, $0.expected, $0.remedy].contains("") } == true)
      }
    }
    #expect(folder.contents == before)
  }

  @Test func `the list of bad configs is not empty`() { #expect(Self.bad.count > 10) }

  @Test func `what is no model is refused`() throws {
    let folder = try ScratchFolder()
    try folder.write(Array("text".utf8), to: "empty/notes.txt")
    #expect(refusal { try patch(folder["nowhere"], request(.yarn, 4)) }?.code == .notFound)
    #expect(refusal { try patch(folder["empty"], request(.yarn, 4)) }?.code == .notAModel)
    #expect(refusal { try patch(folder["empty/notes.txt"], request(.yarn, 4)) }?.code == .notAModel)
    let weights = try folder.copy("safetensors/single/model.safetensors")
    #expect(refusal { try patch(weights, request(.yarn, 4)) }?.code == .badRequest)
    #expect(folder.names == ["empty/notes.txt", "model.safetensors"])
  }

  @Test func `a file is changed once, whatever else it is called`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("gguf/llama-plain.gguf", as: "model/m.gguf")
    try folder.link("model/latest.gguf", to: "m.gguf")
    let model = try inspect(folder["model"]).model
    #expect(model.files.map(\.path) == [folder["model/m.gguf"]])
    #expect(model.notes == ["latest.gguf: passed over, it is m.gguf by another name"])
    #expect(try planPatch(folder["model"], request(.yarn, 4)).files.count == 1)
    #expect(try patch(folder["model"], request(.yarn, 4)).files.count == 1)
    #expect(folder.names.contains("model/latest.gguf"))
  }

  @Test func `links alone are looked at, each file once`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("gguf/llama-plain.gguf", as: "store/blob")
    for name in ["b.gguf", "a.gguf"] { try folder.link("model/\(name)", to: "../store/blob") }
    #expect(try inspect(folder["model"]).model.files.map(\.path) == [folder["model/a.gguf"]])
  }

  @Test func `a name that is not UTF-8 is passed over with a word`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("config/llama-plain/config.json", as: "model/config.json")
    _ = try folder.copy("gguf/llama-plain.gguf", as: "model/\u{FFFD}.gguf")
    let name =
      Array("\(folder.path)/model/".utf8CString.dropLast()) + [0xff, 0x2e].map { CChar(truncatingIfNeeded: $0) }
      + Array("gguf".utf8CString)
    let file = open(name, O_CREAT | O_WRONLY, 0o600)
    try #require(file >= 0)
    close(file)
    let model = try inspect(folder["model"]).model
    #expect(model.files.map(\.path) == [folder["model/config.json"], folder["model/\u{FFFD}.gguf"]])
    // The listed name of the one is the true name of the other.
    try FileManager.default.removeItem(atPath: folder["model/\u{FFFD}.gguf"])
    #expect(
      try inspect(folder["model"]).model.notes == [
        "\u{FFFD}.gguf: passed over, its name is not UTF-8; rename it"
          + " to have it looked at"
      ])
    var search = ModelSearch()
    #expect(try search.models(under: [folder.path]).map(\.path) == [folder["model"]])
    #expect(
      search.notes.map {
        $0.hasSuffix("/\u{FFFD}.gguf: passed over, its name is not UTF-8; rename it to have it looked at")
      } == [true])
  }

  @Test(arguments: ["mmproj-F16.gguf", "llama-imatrix.gguf"])
  func `a file that belongs to the model and holds none is passed over`(_ companion: String) throws {
    let folder = try ScratchFolder()
    let model = try folder.copy("gguf/llama-plain.gguf", as: "model/llama.gguf")
    try folder.write(GGUFBuilder().bytes(), to: "model/\(companion)")
    let read = try inspect(folder["model"]).model
    #expect(read.files.map(\.path) == [model])
    #expect(read.notes == ["\(companion): passed over, it holds no language model"])
  }

  @Test(arguments: [
    ("config/bad-empty/config.json", FileError.Code.jsonEmpty), ("config/bad-html/config.json", "html"),
    ("config/bad-bom/config.json", .byteOrderMark), ("config/llama-plain/config.json", .badKnownModel),
    ("gguf/llama-plain.gguf", .jsonSyntax), ("config", .isADirectory), ("nowhere.json", .notFound),
  ])
  func `a table of known models that is none is refused`(_ fixture: String, _ code: FileError.Code) {
    let error = refusal { try knownModels(Fixture.path(fixture)) }
    #expect(error?.code == code && error?.location.path == Fixture.path(fixture), "\(error?.description ?? "")")
  }

  @Test func `a section that is not there is refused`() throws {
    let error = refusal {
      try planPatch(Fixture.path("config/llama-plain"), request(.yarn, 4) { $0.section = "/text_config" })
    }
    #expect(error?.code == .noSuchSection)
  }

  // MARK: between planning and writing

  @Test(arguments: ["gguf/llama-plain.gguf", "config/llama-plain/config.json"])
  func `a file that changed since the plan is left alone`(_ fixture: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(fixture, as: "file")
    let prepared = try PreparedPatch(path, request(.yarn, 4), in: POSIXFileSystem())
    var bytes = try folder.bytes("file")
    bytes[bytes.count - 2] ^= 0x01
    try folder.write(bytes, to: "file")
    let error = refusal { try prepared.apply(keepsUndo: true) }
    #expect(error?.code == .changedSincePlanning && error?.state == .untouched)
    #expect(folder.contents == ["file": bytes])
  }

  @Test func `a patch that does not verify takes itself back`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("safetensors/stored-inv-freq", as: "model")
    let before = folder.contents
    // The named base is taken on the user's word, but the weights store the table of another one.
    let error = refusal { try patch(path, request(.yarn, 4) { $0.base = 50_000 }) }
    #expect(error?.code == .verificationFailed && error?.state == .restored)
    #expect(error?.found.hasPrefix("base") == true)
    #expect(folder.contents == before)
    let output = refusal { try patch("\(path)/model.safetensors", request(.yarn, 4) { $0.base = 50_000 }) }
    #expect(output?.code == .verificationFailed)
    #expect(folder.contents == before)
  }

  @Test func `a change that another reader of the disk undoes is noticed`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/deepseek2-yarn.gguf", as: "file")
    let before = folder.contents
    let prepared = try PreparedPatch(path, request(.yarn, 8), in: LyingFileSystem())
    let error = refusal { try prepared.apply(keepsUndo: true) }
    #expect(error?.code == .readBackDiffers)
    #expect(try folder.bytes("file") == before["file"])
  }

  @Test func `a folder whose second file cannot be changed is left as it was`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    let prepared = try PreparedPatch(path, request(.yarn, 4), in: LyingFileSystem(refusing: ".gguf"))
    let error = refusal { try prepared.apply(keepsUndo: true) }
    #expect(error?.code == .noSpace && error?.state == .restored)
    #expect(folder.contents == before)
  }

  @Test func `an output that fails leaves no folder behind`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    let prepared = try PreparedPatch(
      path, request(.yarn, 4), output: folder["copy"], in: LyingFileSystem(refusing: ".gguf"))
    let error = refusal { try prepared.apply(keepsUndo: true) }
    #expect(error?.code == .noSpace && error?.location.path == folder["copy/tiny-llama-ctx256-f16.gguf"])
    #expect(folder.contents == before)
    #expect(access(folder["copy"], F_OK) != 0)
  }

  @Test func `a read-only folder is refused`() throws {
    guard getuid() != 0 else {
      print("a read-only folder: not tested, since the superuser may write everywhere")
      return
    }
    let folder = try ScratchFolder()
    let path = try folder.copy("config/llama-plain", as: "model")
    let before = folder.contents
    chmod(path, 0o555)
    defer { chmod(path, 0o755) }
    let error = refusal { try patch("\(path)/config.json", request(.yarn, 4)) }
    #expect(error?.code == .permissionDenied && error?.state == .untouched)
    #expect(folder.contents == before)
  }

  // MARK: records

  @Test func `after an interruption a patch is refused until it was recovered`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/llama-plain.gguf", as: "m.gguf")
    let before = folder.contents
    let record = try #require(try patch(path, request(.yarn, 4)).undo)
    #expect(record == path + ".yarn-patch-undo")
    var pending = try #require(try UndoRecord.read(at: record))
    pending.steps[0].state = .pending
    try folder.write(pending.text, to: "m.gguf.yarn-patch-undo")
    let stopped = folder.contents
    let whole = try folder.bytes("m.gguf")
    try folder.write([0] + whole.dropFirst(), to: "m.gguf")
    #expect(refusal { try patch(path, request(.yarn, 8)) }?.code == .interrupted, "a torn file that does not parse")
    try folder.write(whole, to: "m.gguf")
    let error = refusal { try patch(path, request(.yarn, 8)) }
    #expect(error?.code == .interrupted && error?.state == .waitingForRecovery)
    #expect(error?.remedy.contains("yarn-patch recover \(path)") == true)
    #expect(folder.contents == stopped)
    #expect(interruptedChange(of: path)?.code == .interrupted)
    let recoveries = recoverModel(path)
    guard case .rolledBack(path, let files)? = recoveries.first, recoveries.count == 1 else {
      Issue.record("nothing was rolled back")
      return
    }
    #expect(files.map(\.path) == [path])
    #expect(recoverModel(path).isEmpty, "recovered twice")
    #expect(interruptedChange(of: path) == nil)
    #expect(folder.contents == before)
  }

  @Test func `a patch is not taken back over a later change`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    _ = try patch(path, request(.yarn, 4))
    try folder.replace("1024", by: "2048", in: "model/config.json")
    let changed = folder.contents
    let error = refusal { try undoPatch(path) }
    #expect(error?.code == .changedSincePatch && error?.location.path == "\(path)/config.json")
    #expect(folder.contents == changed)
  }

  @Test func `undo takes back the model that is named and no other`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    _ = try patch("\(path)/config.json", request(.yarn, 4))
    let patched = folder.contents
    #expect(refusal { try undoPatch("\(path)/tiny-llama-ctx256-f16.gguf") }?.code == .nothingToUndo)
    #expect(folder.contents == patched)
    #expect(try undoPatch("\(path)/model.safetensors").map(\.path) == ["\(path)/config.json"])
  }

  @Test func `a folder leads to the one file in it that was patched by itself`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let files = ["\(path)/config.json", "\(path)/tiny-llama-ctx256-f16.gguf"]
    let before = folder.contents
    _ = try patch(files[0], request(.yarn, 4))
    #expect(try undoPatch(path).map(\.path) == [files[0]] && folder.contents == before)
    for file in files { _ = try patch(file, request(.yarn, 4)) }
    let patched = folder.contents
    let error = refusal { try undoPatch(path) }
    #expect(error?.code == .nothingToUndo && folder.contents == patched)
    #expect(error?.remedy == files.map { "yarn-patch undo \($0)" }.joined(separator: "; or "))
    for file in files { #expect(try undoPatch(file).map(\.path) == [file]) }
    #expect(folder.contents == before)
  }

  @Test func `a folder does not lead to a patch of the folder around it`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("config/llama-plain/config.json", as: "model/config.json")
    _ = try folder.copy("config/llama-plain", as: "model/draft")
    _ = try patch(folder["model"], request(.yarn, 4))
    let patched = folder.contents
    #expect(refusal { try undoPatch(folder["model/draft"]) }?.code == .nothingToUndo)
    #expect(folder.contents == patched)
  }

  @Test func `a folder's patch can be undone by any of its files`() throws {
    for name in ["", "/config.json", "/tiny-llama-ctx256-f16.gguf", "/model.safetensors"] {
      let folder = try ScratchFolder()
      let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
      let before = folder.contents
      _ = try patch(path, request(.yarn, 4))
      #expect(try undoPatch(path + name).count == 2, "\(name)")
      #expect(folder.contents == before, "\(name)")
    }
  }
}

/// The real file system, where one thing goes wrong.
///
/// Without a suffix writes to a file that was there are lost; with one, names that end so cannot be taken, and folders
/// that are named so cannot be read.
struct LyingFileSystem: FileSystem {
  private let real = POSIXFileSystem()
  private let suffix: String?
  /// Whether entries of folders say what they are.
  private let statesKinds: Bool

  init(refusing suffix: String? = nil, statesKinds: Bool = true) {
    self.suffix = suffix
    self.statesKinds = statesKinds
  }

  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
    // A new file is written from its start; the edits of a header lie behind the magic.
    suffix == nil && offset > 0 ? bytes.count : try real.write(file, bytes, at: offset)
  }
  func rename(_ path: String, to target: String, _ kind: Renaming) throws(SystemError) {
    if let suffix, target.hasSuffix(suffix) { throw SystemError("rename", ENOSPC) }
    try real.rename(path, to: target, kind)
  }

  func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> Int32 { try real.open(path, mode) }
  func close(_ file: Int32) throws(SystemError) { try real.close(file) }
  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
    try real.read(file, into: buffer, at: offset)
  }
  func copy(_ count: Int, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64) throws(SystemError)
    -> Int
  { try real.copy(count, of: source, at: start, to: file, at: offset) }
  func share(_ count: UInt64, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64)
    throws(SystemError)
  { try real.share(count, of: source, at: start, to: file, at: offset) }
  func insert(_ count: UInt64, into file: Int32, at offset: UInt64) throws(SystemError) {
    try real.insert(count, into: file, at: offset)
  }
  func collapse(_ count: UInt64, of file: Int32, at offset: UInt64) throws(SystemError) {
    try real.collapse(count, of: file, at: offset)
  }
  func truncate(_ file: Int32, to size: UInt64) throws(SystemError) { try real.truncate(file, to: size) }
  func extents(of file: Int32, from offset: UInt64) throws(SystemError) -> [Extent] {
    try real.extents(of: file, from: offset)
  }
  func blockAbilities(of file: Int32, in folder: String) throws(SystemError) -> BlockAbilities {
    try real.blockAbilities(of: file, in: folder)
  }
  func isOpenElsewhere(_ file: Int32) throws(SystemError) -> Bool { try real.isOpenElsewhere(file) }
  func freeSpace(in folder: String) throws(SystemError) -> UInt64 { try real.freeSpace(in: folder) }
  func lockHolder(of file: Int32) throws(SystemError) -> Int32? { try real.lockHolder(of: file) }
  func sync(_ file: Int32) throws(SystemError) { try real.sync(file) }
  func lock(_ file: Int32) throws(SystemError) { try real.lock(file) }
  func status(of file: Int32) throws(SystemError) -> FileStatus { try real.status(of: file) }
  func status(at path: String, followingLinks: Bool) throws(SystemError) -> FileStatus {
    try real.status(at: path, followingLinks: followingLinks)
  }
  func setMode(of file: Int32, _ mode: UInt32) throws(SystemError) { try real.setMode(of: file, mode) }
  func setOwner(of file: Int32, user: UInt32, group: UInt32) throws(SystemError) {
    try real.setOwner(of: file, user: user, group: group)
  }
  func copyExtendedAttributes(of source: Int32, to file: Int32) throws(SystemError) {
    try real.copyExtendedAttributes(of: source, to: file)
  }
  func realPath(of path: String) throws(SystemError) -> String { try real.realPath(of: path) }
  func linkText(at path: String) throws(SystemError) -> String { try real.linkText(at: path) }
  func makeLink(at path: String, to text: String) throws(SystemError) { try real.makeLink(at: path, to: text) }
  func remove(_ path: String) throws(SystemError) { try real.remove(path) }
  func entries(of folder: String) throws(SystemError) -> [FolderEntry] {
    if let suffix, folder.hasSuffix(suffix) { throw SystemError("opendir", EACCES) }
    return try real.entries(of: folder).map { FolderEntry($0.name, statesKinds ? $0.kind : nil) }
  }
  func makeFolder(_ path: String) throws(SystemError) { try real.makeFolder(path) }
  func removeFolder(_ path: String) throws(SystemError) { try real.removeFolder(path) }
}
