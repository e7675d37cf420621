import Bytes
import Diagnostics
import GGUF
import LosslessJSON
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

/// A config.json as text, with what it declares.
struct ConfigSubject {
  let config: HuggingFaceConfig
  let declaration: RoPEDeclaration

  init(_ text: String, section: String? = nil) throws {
    config = try HuggingFaceConfig(try JSONDocument(Array(text.utf8), path: "config.json"), section: section)
    let read = config.ropeDeclarations()
    if let problem = read.problems.first { throw problem }
    declaration = try #require(read.declarations.first)
  }

  var subject: PatchSubject {
    PatchSubject(declaration: declaration, family: config.modelType, shape: config.shape, path: "config.json")
  }

  func settings(_ request: PatchRequest) throws -> RoPESettings { try RoPESettings(request, for: [subject]) }

  func plan(_ request: PatchRequest) throws -> FilePlan {
    try ConfigPlanner.plan(config, declaration, try settings(request))
  }
}

/// The text after a patch.
func patched(_ text: String, _ request: PatchRequest) throws -> String {
  let plan = try ConfigSubject(text, section: request.section).plan(request)
  return String(decoding: try #require(plan.edits.apply(to: Array(text.utf8))), as: UTF8.self)
}

/// A request, written short.
func request(
  _ method: PatchMethod, _ factor: Double? = nil, _ change: (inout PatchRequest) -> Void = { _ in }
) -> PatchRequest {
  var request = PatchRequest(method, reach: method == .none ? nil : .factor(factor ?? 4))
  change(&request)
  return request
}

/// A GGUF in memory, with what it declares.
struct GGUFSubject {
  let source: MemorySource
  let file: GGUFFile
  let declaration: RoPEDeclaration

  init(_ bytes: [UInt8], tensors: RotaryTensors = [:]) throws {
    source = MemorySource(bytes, path: "model.gguf")
    file = try GGUFFile(source)
    var tensors = tensors
    for tensor in file.tensors where tensor.name.hasPrefix("rope_") {
      tensors[tensor.name] = try file.floatValues(of: tensor, in: source)
    }
    let read = file.ropeDeclarations(tensors: tensors)
    if let problem = read.problems.first { throw problem }
    declaration = try #require(read.declarations.first)
  }

  var subject: PatchSubject {
    PatchSubject(declaration: declaration, family: file.architecture, shape: file.shape, path: "model.gguf")
  }

  func plan(_ request: PatchRequest) throws -> FilePlan {
    try GGUFPlanner.plan(file, declaration, try RoPESettings(request, for: [subject]), in: source)
  }

  func patched(_ request: PatchRequest) throws -> GGUFSubject {
    try GGUFSubject(try #require(try plan(request).edits.apply(to: source.bytes)))
  }

  /// The metadata as `key = value (type)` lines, in the file's order, without the architecture's prefix.
  var lines: [String] {
    let prefix = "\(file.architecture ?? "").rope."
    return file.metadata.filter { $0.key.hasPrefix(prefix) || $0.key.hasSuffix(".context_length") }.map {
      let key = $0.key.hasPrefix(prefix) ? $0.key.dropFirst(prefix.count) : "context_length"
      return "\(key) = \($0.value.phrase) (\($0.value.type))"
    }
  }
}

/// The refusal of an expression, or `nil` with a recorded issue.
func refusal<T>(
  _ comment: Comment? = nil, _ place: Testing.SourceLocation = #_sourceLocation, of body: () throws -> T
) -> FileError? {
  do {
    _ = try body()
    Issue.record(comment ?? "nothing was refused", sourceLocation: place)
    return nil
  } catch let error as FileError {
    return error
  } catch {
    Issue.record(error, sourceLocation: place)
    return nil
  }
}
