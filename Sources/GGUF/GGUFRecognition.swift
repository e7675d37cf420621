import Bytes
import Diagnostics

/// Which format the first bytes of a file announce.
enum GGUFRecognition {
  static let magic = Array("GGUF".utf8)

  /// The formats of ggml before GGUF, and what a reader should know about each.
  ///
  /// They were written as 32-bit numbers, so the letters stand backwards in files of little-endian machines.
  private static let forerunners = [
    "FUGG": "a GGUF file written before the format was released",
    "ggml": "an unversioned ggml file", "ggmf": "a ggmf file", "ggjt": "a ggjt file", "ggla": "a ggla adapter file",
  ]

  /// The older format that a magic stands for, or `nil`.
  static func forerunner(_ magic: some Sequence<UInt8>) -> String? {
    let letters = String(decoding: Array(magic), as: UTF8.self)
    return forerunners[letters] ?? forerunners[String(letters.reversed())]
  }

  /// Checks the magic.
  ///
  /// - Throws: `truncated`, `git-lfs-pointer`, `html`, `gguf-old-format` or `not-gguf`.
  static func check(_ source: any ByteSource) throws(FileError) {
    let start = try source.bytes(in: 0..<min(source.size, 64))
    guard !start.starts(with: magic) else { return }
    func refusal(_ code: FileError.Code, _ found: String, _ remedy: String) -> FileError {
      FileError(
        code, at: SourceLocation(path: source.path, byteOffset: 0), found: found, expected: "a GGUF file",
        remedy: remedy)
    }
    if magic.starts(with: start) {
      throw refusal(.truncated, "the file ends after \(start.count) bytes", GGUFRemedy.download)
    }
    if let foreign = foreignContent(start, path: source.path) { throw foreign }
    if let format = forerunner(start.prefix(4)) { throw refusal(.ggufOldFormat, format, GGUFRemedy.convert) }
    let bytes = start.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    throw refusal(.notGGUF, "the first bytes are \(bytes)", "check that this is the model's file")
  }
}

extension GGUFFile {
  /// Whether a file that begins with these bytes is for us: GGUF of any version, or one of its forerunners, which
  /// ``init(_:)`` refuses by name.
  package static func recognises(firstBytes: [UInt8]) -> Bool {
    firstBytes.starts(with: GGUFRecognition.magic) || GGUFRecognition.forerunner(firstBytes.prefix(4)) != nil
  }
}
