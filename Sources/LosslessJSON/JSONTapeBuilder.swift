import Diagnostics

/// Walks over a text once and notes where its values and keys stand.
struct JSONTapeBuilder {
  private var scanner: JSONScanner
  private let path: String
  private var entries: [JSONTape.Entry] = []
  /// Values and keys so far, see `JSONDocument.maximumWeight`.
  private var weight = 0
  /// The first numbers that JSON does not know.
  private(set) var bareNumbers: [Int] = []

  init(_ bytes: [UInt8], path: String) {
    scanner = JSONScanner(bytes, path: path)
    self.path = path
  }

  mutating func document() throws(FileError) -> JSONTape {
    try value()
    try scanner.end()
    return JSONTape(bytes: scanner.bytes, entries: entries, hasEscapes: scanner.lastEscape >= 0)
  }

  /// Notes the next value. The recursion is as deep as the text, which the scanner limits.
  private mutating func value() throws(FileError) {
    let first = try scanner.peek()
    let start = scanner.position
    let index = entries.count
    try note(start..<start, weight: first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? 8 : 1)
    switch first {
    case UInt8(ascii: "{"):
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        try refuseNUL(in: key)
        try note(key)
        try value()
      }
    case UInt8(ascii: "["):
      try scanner.beginArray()
      while try scanner.nextElement() { try value() }
    case UInt8(ascii: "\""):
      let string = try scanner.string()
      try refuseNUL(in: string)
    default: try scalar(index)
    }
    entries[index].end = UInt32(scanner.position)
    entries[index].next = UInt32(entries.count)
  }

  private mutating func scalar(_ index: Int) throws(FileError) {
    let range = try scanner.scalar()
    guard scanner.firstBareNumber != nil, bareNumbers.count < JSONDocument.maximumRemarks else { return }
    if JSONNumber(text: String(decoding: scanner.bytes[range], as: UTF8.self)).isBare { bareNumbers.append(index) }
  }

  private mutating func note(_ range: Range<Int>, weight: Int = 1) throws(FileError) {
    self.weight += weight
    guard self.weight <= JSONDocument.maximumWeight else {
      throw FileError(
        .jsonTooLarge, at: SourceLocation(path: path, byteOffset: UInt64(range.lowerBound)),
        found: "here the text has more values than a configuration",
        expected: "at most \(JSONDocument.maximumWeight) values and keys, an array or object counting as eight",
        remedy: "check that this is the right file")
    }
    entries.append(
      JSONTape.Entry(
        start: UInt32(range.lowerBound), end: UInt32(range.upperBound), next: UInt32(entries.count + 1)))
  }

  /// NUL is refused here, before json-c, which would cut a key at it, sees the text.
  private func refuseNUL(in string: Range<Int>) throws(FileError) {
    guard scanner.firstNUL != nil else { return }
    throw FileError(
      .jsonNUL, at: SourceLocation(path: path, byteOffset: UInt64(string.lowerBound)),
      found: "a string contains an escaped NUL character", expected: "text without it",
      remedy: "remove \\u0000; many programs would read the string only up to there")
  }
}
