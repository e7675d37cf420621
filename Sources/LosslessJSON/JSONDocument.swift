import Bytes
import Diagnostics

/// A JSON text of the size of a configuration file, with the place of every value.
///
/// The text is read by ``JSONScanner``, which is strict and knows the places, and before an edit a second time by json-c.
/// Where the two readings differ, other programs may differ as well; ``disagreements`` tells, and such a document is not
/// edited.
public struct JSONDocument: Sendable {
  /// Largest text read, in bytes. Published configurations have a few megabytes at most, the index of the shards of a
  /// hundred thousand tensors has about ten.
  package static let maximumSize = 32 << 20
  /// Largest number of values and keys, an array or object counting as eight: what json-c takes for an empty one in the
  /// second reading, some 700 bytes. The largest index has 300,000, and quantisation by module 70,000 objects.
  package static let maximumWeight = 1 << 20
  /// Most duplicates, bare numbers and disagreements listed, each; a text with more is broken as a whole.
  static let maximumRemarks = 100

  /// The file's name, for messages.
  public let path: String
  /// The text as it is in the file.
  public var bytes: [UInt8] { contents.tape.bytes }
  /// The document's one value, an object in every configuration.
  public var root: JSONNode { JSONNode(contents: contents, index: 0) }
  /// Keys that occur more than once in their object. Python and ``subscript(_:)`` take the last.
  public let duplicates: [JSONDuplicate]
  /// Pointers to the bare `NaN`, `Infinity` and `-Infinity`, which Python writes and JSON does not know.
  public let bareNumbers: [String]
  /// Values that json-c reads differently, such as integers beyond 64 bits. Each call reads the text with json-c, which
  /// takes longer than reading the document did.
  public var disagreements: [JSONDisagreement] { SecondReading.disagreements(with: root, of: bytes) }

  private let contents: JSONContents

  /// Reads a text.
  ///
  /// - Throws: Codes that name what stands there instead of JSON (`jsonEmpty`, `byteOrderMark`, `gitLFSPointer`,
  ///   `html`), `jsonTooLarge`, `jsonNUL`, or the scanner's codes with the exact byte.
  package init(_ bytes: [UInt8], path: String) throws(FileError) {
    if let error = Self.unreadable(bytes, path: path) { throw error }
    var builder = JSONTapeBuilder(bytes, path: path)
    let tape = try builder.document()
    let contents = JSONContents(tape)
    self.path = path
    self.contents = contents
    bareNumbers = tape.pointers(to: builder.bareNumbers)
    let repeated = contents.repeatedKeys.prefix(Self.maximumRemarks)
    // A value stands behind its key.
    duplicates = zip(repeated, tape.pointers(to: repeated.map { $0.second + 1 })).map { keys, pointer in
      JSONDuplicate(
        pointer: pointer, first: tape.range(keys.first).lowerBound, second: tape.range(keys.second).lowerBound)
    }
  }

  /// Refuses a file by its size, before it is read.
  ///
  /// - Throws: `jsonTooLarge`.
  package static func checkSize(_ size: UInt64, path: String) throws(FileError) {
    guard size > UInt64(maximumSize) else { return }
    throw FileError(
      .jsonTooLarge, at: SourceLocation(path: path), found: "the file has \(size) bytes",
      expected: "a configuration of at most \(maximumSize >> 20) MiB", remedy: "check that this is the right file")
  }

  /// The value at a JSON pointer (RFC 6901), or `nil` when there is none or the pointer is malformed.
  public subscript(pointer: String) -> JSONNode? {
    // Configurations are asked for hundreds of members, so nothing is allocated on the way.
    var text = pointer
    let (isPlain, place) = text.withUTF8 { bytes in
      bytes.contains(UInt8(ascii: "~")) ? (false, nil) : (true, contents.value(at: UnsafeRawBufferPointer(bytes)))
    }
    if isPlain { return place.map { JSONNode(contents: contents, index: $0) } }
    return JSONPointer.tokens(of: pointer)?.reduce(Optional(root)) { node, token in node?.child(token) }
  }

  /// Where the value at a pointer stands, for messages; just the pointer when there is no such value.
  package func location(of pointer: String) -> SourceLocation {
    SourceLocation(path: path, byteOffset: self[pointer].map { UInt64($0.range.lowerBound) }, key: pointer)
  }

  /// Line and column of a byte, for messages.
  package func position(of offset: Int) -> TextPosition { TextPosition(of: offset, in: bytes) }

  private static func unreadable(_ bytes: [UInt8], path: String) -> FileError? {
    func error(_ code: FileError.Code, _ found: String, _ expected: String, _ remedy: String) -> FileError {
      FileError(code, at: SourceLocation(path: path, byteOffset: 0), found: found, expected: expected, remedy: remedy)
    }
    if bytes.count > maximumSize {
      return error(
        .jsonTooLarge, "the file has \(bytes.count) bytes", "a configuration of at most \(maximumSize >> 20) MiB",
        "check that this is the right file")
    }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      return error(
        .byteOrderMark, "the file starts with a byte order mark", "UTF-8 without one",
        "remove the first three bytes, for example with `sed -i '1s/^\\xEF\\xBB\\xBF//'`")
    }
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      return error(
        .byteOrderMark, "the file starts with the byte order mark of UTF-16", "UTF-8",
        "convert it with `iconv -f UTF-16 -t UTF-8`")
    }
    guard bytes.contains(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) else {
      return error(
        .jsonEmpty, bytes.isEmpty ? "the file is empty" : "the file holds only white space", "a JSON document",
        "download or copy the file again")
    }
    return foreignContent(bytes, path: path)
  }
}

/// A key that occurs again in the same object.
public struct JSONDuplicate: Sendable, Equatable {
  /// Where the key stands.
  public var pointer: String
  /// Offsets of the two keys' opening quotes.
  public var first: Int, second: Int
}

/// A value that our reading and json-c's tell apart.
public struct JSONDisagreement: Sendable, Equatable {
  /// Where the value stands; empty for the whole document.
  public var pointer: String
  /// What the text says, as it is spelled.
  public var ours: String
  /// What json-c makes of it.
  public var theirs: String
}
