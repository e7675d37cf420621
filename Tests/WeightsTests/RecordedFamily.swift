import Bytes
import Foundation
import GGUF
import LosslessJSON
import ModelConfig
import Safetensors
import TestSupport
import Testing

@testable import Weights

/// A small model with weights from a formula, and what transformers computes with it; see
/// `scripts/peers/record_first_layer.py`.
struct RecordedFamily: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  /// Tensors of the first layer's attention with their shapes.
  var tensors: [String: [Int]]
  /// Lanes that rotate.
  var rotaryDimension: Int
  var scores: RecordedScores
  /// The whole config.json.
  var config: [String: Setting]

  var testDescription: String { name }

  enum Setting: Codable, Sendable {
    case flag(Bool)
    case number(Double)
    case text(String)

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let flag = try? value.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try value.decode(String.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var value = encoder.singleValueContainer()
      switch self {
      case .flag(let flag): try value.encode(flag)
      case .number(let number): try value.encode(number)
      case .text(let text): try value.encode(text)
      }
    }
  }

  enum Key: CodingKey { case name, tensors, rotaryDimension, config }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Key.self)
    name = try members.decode(String.self, forKey: .name)
    tensors = try members.decode([String: [Int]].self, forKey: .tensors)
    rotaryDimension = try members.decode(Int.self, forKey: .rotaryDimension)
    config = try members.decode([String: Setting].self, forKey: .config)
    scores = try RecordedScores(from: decoder)
  }

  func number(_ key: String) -> Double? { if case .number(let number)? = config[key] { number } else { nil } }
  func integer(_ key: String) -> Int? { number(key).map { Int($0) } }
  var modelType: String { if case .text(let text)? = config["model_type"] { text } else { "" } }

  /// SplitMix64 seeded with FNV-1a of the name, its upper 16 bits within half of 0; of 1 for a norm's weight.
  static func numbers(_ name: String, _ count: Int) -> [Float] {
    let seed = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    var random = SeededGenerator(seed: seed)
    let centre: Float = name.hasSuffix("norm.weight") ? 1 : 0
    return (0..<count).map { _ in Float(random.next() >> 48) / 65536 - 0.5 + centre }
  }

  func numbers(_ name: String) -> [Float] { Self.numbers(name, (tensors[name] ?? []).reduce(1, *)) }

  /// The layer as a checkpoint states it.
  func inSafetensors() throws -> FirstLayer {
    let named = tensors.keys.sorted().map { name in
      (name: name, dtype: "F32", shape: tensors[name] ?? [], data: numbers(name).flatMap { $0.littleEndianBytes })
    }
    let source = MemorySource(SafetensorsBuilder(named).bytes)
    let document = try JSONDocument(Array(try JSONEncoder().encode(config)), path: "config.json")
    return try FirstLayer(try HuggingFaceConfig(document), [(try SafetensorsFile(source), source)])
  }

  struct File: Decodable {
    var families: [RecordedFamily]
    var tiny: RecordedScores
  }

  static let file: File? = {
    let bytes = (try? Fixture.bytes("weights/first-layer.json")) ?? []
    return try? JSONDecoder().decode(File.self, from: Data(bytes))
  }()
  static let all = file?.families ?? []
}

extension Float {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: bitPattern.littleEndian) { Array($0) } }
}
