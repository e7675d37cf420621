import Diagnostics
import FileStore
import GGUF
import LosslessJSON
import ModelConfig
import PatchPlanning
import Runtimes

/// The version of the command and the library.
public let version = "0.1.0"

/// What undo records say made a change.
let tool = "yarn-patch \(version)"

/// Reads what a model's files declare.
///
/// - Parameters:
///   - path: A GGUF, a safetensors file or index, a config.json, or a folder with these.
///   - metadata: Which metadata keys to list.
///   - tensors: Whether to list the tensors.
/// - Throws: ``FileError`` with place, finding, expectation and remedy.
public func inspect(
  _ path: String, metadata: ((String) -> Bool)? = nil, tensors: Bool = false
) throws(FileError) -> Inspection {
  let fileSystem = POSIXFileSystem()
  var loader = ModelLoader(fileSystem)
  var inspection = Inspection(try loader.load(path))
  if let metadata { try inspection.listMetadata(in: fileSystem, where: metadata) }
  if tensors { inspection.listTensors() }
  return inspection
}

/// The published models, after those of a file of the form of `known-models.json`.
///
/// - Throws: `bad-known-model` with the member that is wrong, and what reading the file throws.
public func knownModels(_ path: String) throws(FileError) -> KnownModels {
  try KnownModels(try ModelLoader().document(path))
}

/// Plans a patch without writing anything.
public func planPatch(_ path: String, _ request: PatchRequest, output: String? = nil) throws(FileError) -> PatchOutcome
{
  try PreparedPatch(path, request, output: output, in: POSIXFileSystem()).rehearse()
}

/// Plans a patch and saves the plan for review; ``SavedPlan`` makes it later. Writes nothing else.
///
/// - Parameter plan: A new file, or an older plan, which is replaced.
public func savePlan(_ path: String, _ request: PatchRequest, to plan: String) throws(FileError) -> PatchOutcome {
  let prepared = try PreparedPatch(path, request, in: POSIXFileSystem())
  let outcome = try prepared.rehearse()
  try prepared.save(to: plan)
  return outcome
}

/// Patches a model's files as one transaction, verifies the result, and takes it back when that fails.
///
/// - Parameters:
///   - output: Writes a patched copy there and leaves the model as it is.
///   - keepsUndo: Whether to leave the record from which ``undoPatch(_:)`` restores the exact former bytes.
public func patch(
  _ path: String, _ request: PatchRequest, output: String? = nil, keepsUndo: Bool = true
) throws(FileError) -> PatchOutcome {
  try PreparedPatch(path, request, output: output, in: POSIXFileSystem()).apply(keepsUndo: keepsUndo)
}

/// Verifies a model's RoPE settings.
public func verify(_ path: String, _ options: VerifyOptions = VerifyOptions()) throws(FileError) -> Verification {
  let fileSystem = POSIXFileSystem()
  var loader = ModelLoader(fileSystem, keepsProblems: options.runtimes != nil)
  let model = try loader.load(path)
  var verifier = Verifier(model, attention: options.attention)
  if let choice = options.runtimes {
    verifier.compareRuntimes(choice, at: options.context, in: fileSystem)
  } else if options.attention == .full {
    verifier.measureRuntimes(in: fileSystem)
  }
  if let tokens = options.context { verifier.requireWindow(tokens) }
  if let expected = options.expect {
    let source = try FileSource(expected, in: fileSystem)
    try JSONDocument.checkSize(source.size, path: expected)
    verifier.require(try JSONDocument(try source.bytes(in: 0..<source.size), path: expected))
  }
  if let other = options.against {
    var loader = ModelLoader(fileSystem)
    try verifier.compare(with: try loader.load(other), in: fileSystem)
  }
  if options.attention == .weights {
    verifier.attendFirstLayer(tokens: options.tokens, length: options.context, in: fileSystem)
  }
  return verifier.verification
}
