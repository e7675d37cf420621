import Foundation

/// Files below the package's `fixtures` folder.
public enum Fixture {
  /// The folder's path.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("fixtures").path

  public static func path(_ name: String) -> String { "\(root)/\(name)" }

  public static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// The names in a folder, in order.
  public static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }

  /// A config.json as text.
  public static func config(_ name: String) throws -> String {
    String(decoding: try bytes("config/\(name)/config.json"), as: UTF8.self)
  }
}

extension Fixture {
  /// The text with each phrase, which must stand there once, replaced by another.
  public static func replacing(_ text: String, _ phrases: [(String, String)]) -> String {
    phrases.reduce(text) { text, phrase in
      let parts = text.components(separatedBy: phrase.0)
      precondition(parts.count == 2, "\(phrase.0) stands there \(parts.count - 1) times")
      return parts.joined(separator: phrase.1)
    }
  }
}
