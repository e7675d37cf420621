import FileStore
import Foundation
import GGUF
import LosslessJSON
import ModelConfig
import Safetensors
import Testing

@testable import Weights

/// Scores that `scripts/peers/first_layer.py` had other programs compute; only `make test-peers` sets the variable.
@Suite struct PeerScoresTests {
  struct Case: Decodable {
    var path: String
    var rotaryDimension: Int
    var base: Double
    var scores: RecordedScores

    enum Key: CodingKey { case path, rotaryDimension, base }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: Key.self)
      path = try members.decode(String.self, forKey: .path)
      rotaryDimension = try members.decode(Int.self, forKey: .rotaryDimension)
      base = try members.decode(Double.self, forKey: .base)
      scores = try RecordedScores(from: decoder)
    }
  }

  static let file = ProcessInfo.processInfo.environment["YARN_PATCH_PEER_SCORES"]

  @Test(.enabled(if: file != nil)) func `first layers agree with the programs that computed them`() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: try #require(Self.file)))
    for peer in try JSONDecoder().decode([Case].self, from: data) {
      let difference = try peer.scores.difference(
        of: try layer(peer.path), rotaryDimension: peer.rotaryDimension, base: peer.base)
      print("peer scores: \(difference)")
      #expect(difference <= FirstLayerTests.bound, "\(peer.path)")
    }
  }

  private func layer(_ path: String) throws -> FirstLayer {
    let source = try FileSource(path, in: POSIXFileSystem())
    guard path.hasSuffix(".safetensors") else { return try FirstLayer([(try GGUFFile(source), source)]) }
    let config = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("config.json")
    let document = try JSONDocument(Array(try Data(contentsOf: config)), path: config.path)
    return try FirstLayer(try HuggingFaceConfig(document), [(try SafetensorsFile(source), source)])
  }
}
