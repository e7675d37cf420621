import Bytes
import Diagnostics
import LosslessJSON

/// Reads a header's JSON in one pass, without a tree and without json-c: headers reach tens of megabytes.
///
/// The pass notes where the names stand; a tensor is read there again when it is asked for.
struct HeaderReader: Sendable {
  /// The place of a tensor's name with its quotes.
  struct Name: Sendable {
    var start: UInt32, count: UInt32
    /// Of its bytes, escapes resolved.
    var hash: UInt32
    var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
  }

  /// An entry's fields, texts as their places.
  struct Entry {
    var dtype: Range<Int>
    /// The array's first byte.
    var shape: Int
    var begin: UInt64, end: UInt64
    /// Product of the shape, `nil` when it does not fit.
    var elements: UInt64?
  }

  private var scanner: JSONScanner
  private let path: String
  private(set) var metadata: [SafetensorsMetadata]?
  private(set) var names: [Name] = []
  private var hasEscapedNames = false
  private var lastDType: (text: Range<Int>, width: UInt64)?
  /// Sum over all tensors.
  private(set) var elementCount: UInt64 = 0
  /// Where the data ends, when each tensor so far begins where the one before it ends.
  private(set) var contiguousEnd: UInt64? = 0
  /// White space behind the object.
  private(set) var padding: UInt64 = 0

  private static let remedy = "download the file again, or convert the model again"

  /// - Parameter header: The bytes between the length and the data.
  init(_ header: [UInt8], path: String) {
    scanner = JSONScanner(header, path: path, fileOffset: 8, remedy: Self.remedy)
    self.path = path
  }

  mutating func read() throws(FileError) {
    // The format wants the brace first; the scanner alone would let white space pass.
    guard scanner.bytes.first == UInt8(ascii: "{") else {
      throw scanner.failure(.jsonSyntax, expected: "'{' as the header's first byte")
    }
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.text(of: key, is: "__metadata__") {
        guard metadata == nil else { throw repeated(key) }
        metadata = try readMetadata(key)
      } else {
        guard names.count < SafetensorsFile.maximumTensorCount else {
          throw failure(
            .safetensorsTensorCount, key, "more tensors than any model has",
            "at most \(SafetensorsFile.maximumTensorCount)")
        }
        if scanner.lastEscape >= key.lowerBound { hasEscapedNames = true }
        var name = Name(start: UInt32(key.lowerBound), count: UInt32(key.count), hash: 0)
        name.hash = withBytes(of: name) { nameHash($0) }
        let entry = try readEntry(key)
        try check(entry, key)
        elementCount &+= entry.elements ?? 0
        contiguousEnd = contiguousEnd == entry.begin ? entry.end : nil
        names.append(name)
      }
    }
    padding = UInt64(scanner.bytes.count - scanner.position)
    try scanner.end()
    // The reference library does not know Python's words for numbers.
    if let offset = scanner.firstBareNumber {
      throw scanner.failure(.jsonSyntax, at: offset, expected: "a number that JSON knows")
    }
    try checkNames()
  }

  /// The tensor of a name that was met.
  mutating func tensor(_ name: Name) throws(FileError) -> SafetensorsTensor {
    scanner.position = name.range.upperBound
    _ = try scanner.peek()
    scanner.position += 1  // The colon.
    let entry = try readEntry(name.range)
    return SafetensorsTensor(
      name: scanner.text(of: name.range), dtype: scanner.text(of: entry.dtype), shape: try shape(of: entry),
      begin: entry.begin, end: entry.end)
  }

  /// Calls `body` with the bytes of a name, escapes resolved.
  @inline(__always)
  func withBytes<T>(of name: Name, _ body: (UnsafeRawBufferPointer) -> T) -> T {
    guard !hasEscapedNames else { return Array(scanner.text(of: name.range).utf8).withUnsafeBytes(body) }
    return scanner.bytes.withUnsafeBytes { text in
      // The name was met in the text, between its quotes.
      body(UnsafeRawBufferPointer(rebasing: text[name.range.lowerBound + 1..<name.range.upperBound - 1]))
    }
  }

  private func checkNames() throws(FileError) {
    let repetition = firstRepetition(count: names.count) { index in
      names[index].hash
    } areEqual: { a, b in
      withBytes(of: names[a]) { a in withBytes(of: names[b]) { b in a.elementsEqual(b) } }
    }
    if let repetition { throw repeated(names[repetition.later].range) }
  }

  private func repeated(_ key: Range<Int>) -> FileError {
    failure(.safetensorsDuplicateName, key, "the name occurs a second time", "each name once")
  }

  private mutating func readMetadata(_ key: Range<Int>) throws(FileError) -> [SafetensorsMetadata] {
    func wrong(_ found: String) -> FileError {
      failure(.safetensorsMetadata, key, found, "an object whose values are strings")
    }
    guard try scanner.peek() == UInt8(ascii: "{") else { throw wrong("the value is not an object") }
    var lines: [SafetensorsMetadata] = []
    var keys: Set<ExactKey> = []
    try scanner.beginObject()
    while let range = try scanner.nextKey() {
      let name = scanner.text(of: range)
      guard keys.insert(ExactKey(name)).inserted else { throw wrong("\"\(name)\" occurs twice") }
      guard try scanner.peek() == UInt8(ascii: "\"") else { throw wrong("\"\(name)\" is not a string") }
      lines.append(SafetensorsMetadata(key: name, value: scanner.text(of: try scanner.string())))
    }
    return lines
  }

  /// Reads one entry, fields in any order. Unknown fields are skipped, as the reference library does.
  private mutating func readEntry(_ key: Range<Int>) throws(FileError) -> Entry {
    if let entry = readPlainEntry() { return entry }
    var dtype: Range<Int>?
    var shape: Int?
    var elements: UInt64? = 1
    var offsets: (begin: UInt64, end: UInt64)?
    guard try scanner.peek() == UInt8(ascii: "{") else { throw wrong(key, "the entry is not an object", "an object") }
    try scanner.beginObject()
    while let field = try scanner.nextKey() {
      if scanner.text(of: field, is: "dtype") {
        guard dtype == nil, try scanner.peek() == UInt8(ascii: "\"") else {
          throw wrong(key, "dtype occurs twice or is not a string", "the name of an element type")
        }
        dtype = try scanner.string()
      } else if scanner.text(of: field, is: "shape") {
        _ = try scanner.peek()
        let start = scanner.position
        guard shape == nil, try readSizes({ size in elements = elements.flatMap { $0.multiplied(by: size) } }) else {
          throw wrong(key, "shape occurs twice or holds something else than sizes", "an array of whole numbers")
        }
        shape = start
      } else if scanner.text(of: field, is: "data_offsets") {
        var (count, begin, end) = (0, 0 as UInt64, 0 as UInt64)
        guard offsets == nil, try readSizes({ (count, begin, end) = (count + 1, end, $0) }), count == 2 else {
          throw wrong(key, "data_offsets occurs twice or is not a pair of offsets", "[begin, end]")
        }
        offsets = (begin, end)
      } else {
        try scanner.skipValue()
      }
    }
    guard let dtype, let shape, let offsets else {
      let missing = dtype == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
      throw wrong(key, "\(missing) is missing", "dtype, shape and data_offsets")
    }
    return Entry(dtype: dtype, shape: shape, begin: offsets.begin, end: offsets.end, elements: elements)
  }

  private mutating func readPlainEntry() -> Entry? {
    let (entry, end) = scanner.bytes.withUnsafeBytes { text in
      var reader = PlainEntryReader(text, at: scanner.position)
      return (reader.entry(), reader.position)
    }
    if entry != nil { scanner.position = end }
    return entry
  }

  /// Bits of an element.
  private mutating func width(of dtype: Range<Int>, _ key: Range<Int>) throws(FileError) -> UInt64 {
    // Neighbours mostly have the same type.
    if let lastDType, scanner.areWrittenAlike(lastDType.text, dtype) { return lastDType.width }
    let name = scanner.text(of: dtype)
    guard let width = SafetensorsDType.bits(name) else {
      throw failure(.safetensorsDType, key, "the dtype \"\(name)\" is unknown", "one of the format's types")
    }
    lastDType = (dtype, width)
    return width
  }

  /// Compares the span of the offsets with shape and element type.
  private mutating func check(_ entry: Entry, _ key: Range<Int>) throws(FileError) {
    let width = try width(of: entry.dtype, key)
    guard entry.begin <= entry.end else {
      throw failure(
        .safetensorsOffsets, key, "the tensor begins at \(entry.begin) and ends at \(entry.end)",
        "an end that is not before the beginning")
    }
    let bits = entry.elements.flatMap { $0.multiplied(by: width) }
    guard let bits, bits % 8 == 0, bits / 8 == entry.end - entry.begin else {
      let needed = bits.map { $0 % 8 == 0 ? "\($0 / 8) bytes" : "\($0) bits" } ?? "more than 64 bits can count"
      var again = self
      throw failure(
        .safetensorsTensorSize, key, "the offsets span \(entry.end - entry.begin) bytes",
        "what the shape \(try again.shape(of: entry).prefix(8)) takes in \(scanner.text(of: entry.dtype)): \(needed)")
    }
  }

  private mutating func shape(of entry: Entry) throws(FileError) -> [UInt64] {
    var sizes: [UInt64] = []
    scanner.position = entry.shape
    _ = try readSizes { sizes.append($0) }
    return sizes
  }

  /// Gives each element of the array that stands next.
  ///
  /// - Returns: Whether it is an array and holds nothing but whole numbers from 0 on.
  private mutating func readSizes(_ take: (UInt64) -> Void) throws(FileError) -> Bool {
    guard try scanner.peek() == UInt8(ascii: "[") else { return false }
    try scanner.beginArray()
    while try scanner.nextElement() {
      let first = try scanner.peek()
      guard first != UInt8(ascii: "["), first != UInt8(ascii: "{"), let value = try scanner.unsignedInteger() else {
        return false
      }
      take(value)
    }
    return true
  }

  private func wrong(_ key: Range<Int>, _ found: String, _ expected: String) -> FileError {
    failure(.safetensorsEntry, key, found, expected)
  }

  private func failure(_ code: FileError.Code, _ key: Range<Int>, _ found: String, _ expected: String) -> FileError {
    FileError(
      code, at: SourceLocation(path: path, byteOffset: 8 + UInt64(key.lowerBound), key: scanner.text(of: key)),
      found: found, expected: expected, remedy: Self.remedy)
  }
}

extension UInt64 {
  /// The product, or `nil` when it does not fit.
  func multiplied(by other: UInt64) -> UInt64? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : product
  }
}
