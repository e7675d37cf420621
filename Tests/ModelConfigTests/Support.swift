import Bytes
import Diagnostics
import Foundation
import GGUF
import LosslessJSON
import Testing

@testable import ModelConfig

/// A file of the package's `fixtures` folder.
func fixture(_ path: String, file: String = #filePath) throws -> [UInt8] {
  let package = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return [UInt8](try Data(contentsOf: package.appendingPathComponent("fixtures/\(path)")))
}

func config(_ text: String, section: String? = nil) throws(FileError) -> HuggingFaceConfig {
  try HuggingFaceConfig(try JSONDocument(Array(text.utf8), path: "config.json"), section: section)
}

func fixtureConfig(_ name: String) throws -> HuggingFaceConfig {
  try HuggingFaceConfig(try JSONDocument(try fixture("config/\(name)/config.json"), path: name))
}

/// What a config.json in this text declares.
func declared(_ text: String, section: String? = nil) throws -> FileDeclarations {
  try config(text, section: section).ropeDeclarations()
}

extension FileDeclarations {
  /// `code@place` of each problem.
  var complaints: [String] { problems.map { "\($0.code.rawValue)@\($0.location.key ?? "")" } }
  var claims: [[String]] { declarations.map(\.claims) }
}

extension RoPEDeclaration {
  /// Every stated member as `name=value@place`, so what a file does not state cannot slip in unseen.
  var claims: [String] {
    func number(_ name: String, _ member: Declared<Double>?) -> String? {
      member.map { "\(name)=\(JSONText.number($0.value).compact)@\($0.place.key ?? "")" }
    }
    func other<Value>(_ name: String, _ member: Declared<Value>?, _ text: (Value) -> Any = { $0 }) -> String? {
      member.map { "\(name)=\(text($0.value))@\($0.place.key ?? "")" }
    }
    let members = [
      layerType.map { "layer=\($0)" }, other("kind", kind), number("base", base), number("factor", factor),
      other("original", originalContext), other("context", contextLength), other("head", headDimension),
      other("rotary", rotaryDimension), number("betaFast", betaFast), number("betaSlow", betaSlow),
      number("attention", attentionFactor), number("mscale", mscale), number("mscaleAllDim", mscaleAllDim),
      other("truncate", truncate), number("low", lowFrequencyFactor), number("high", highFrequencyFactor),
      other("short", shortFactors) { $0.count }, other("long", longFactors) { $0.count },
      other("divisors", frequencyDivisors) { $0.count }, other("mrope", mropeSection),
      usesLatentAttention ? "latent" : nil,
    ]
    return members.compactMap(\.self)
  }
}

extension GGUFFile {
  init(_ bytes: [UInt8], named path: String) throws(FileError) { try self.init(MemorySource(bytes, path: path)) }
}

/// Names in a folder of `fixtures`, sorted.
func fixtureNames(_ folder: String, file: String = #filePath) throws -> [String] {
  let package = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return try FileManager.default.contentsOfDirectory(atPath: package.path + "/fixtures/\(folder)").sorted()
}
