import Diagnostics
import LosslessJSON

/// Reads a header's JSON in one pass, without a tree and without json-c: headers reach tens of megabytes.
struct HeaderReader {
  struct Entry {
    var tensor: SafetensorsTensor
    /// Where its name stands in the file.
    var offset: UInt64
  }

  private var scanner: JSONScanner
  private let path: String
  private var names: Set<ExactKey> = []
  private(set) var metadata: [SafetensorsMetadata]?
  private(set) var entries: [Entry] = []
  /// White space behind the object.
  private(set) var padding: UInt64 = 0

  private static let remedy = "download the file again, or convert the model again"

  /// - Parameter header: The bytes between the length and the data.
  init(_ header: [UInt8], path: String) {
    scanner = JSONScanner(header, path: path, fileOffset: 8, remedy: Self.remedy)
    self.path = path
    // An entry has some 150 bytes; the header is in memory already, so this cannot be a wrong promise.
    names.reserveCapacity(header.count / 128)
  }

  mutating func read() throws(FileError) {
    // The format wants the brace first; the scanner alone would let white space pass.
    guard scanner.bytes.first == UInt8(ascii: "{") else {
      throw scanner.failure(.jsonSyntax, expected: "'{' as the header's first byte")
    }
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      let name = scanner.text(of: key)
      guard names.insert(ExactKey(name)).inserted else {
        throw failure(.safetensorsDuplicateName, name, key, "the name occurs a second time", "each name once")
      }
      if name == "__metadata__" {
        metadata = try readMetadata(key)
      } else {
        entries.append(Entry(tensor: try readTensor(name, key), offset: 8 + UInt64(key.lowerBound)))
      }
    }
    padding = UInt64(scanner.bytes.count - scanner.position)
    try scanner.end()
    // The reference library does not know Python's words for numbers.
    if let offset = scanner.firstBareNumber {
      throw scanner.failure(.jsonSyntax, at: offset, expected: "a number that JSON knows")
    }
  }

  private mutating func readMetadata(_ key: Range<Int>) throws(FileError) -> [SafetensorsMetadata] {
    func wrong(_ found: String) -> FileError {
      failure(.safetensorsMetadata, "__metadata__", key, found, "an object whose values are strings")
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
  private mutating func readTensor(_ name: String, _ key: Range<Int>) throws(FileError) -> SafetensorsTensor {
    func wrong(_ found: String, _ expected: String) -> FileError {
      failure(.safetensorsEntry, name, key, found, expected)
    }
    var dtype: String?
    var shape: [UInt64]?
    var offsets: [UInt64]?
    guard try scanner.peek() == UInt8(ascii: "{") else { throw wrong("the entry is not an object", "an object") }
    try scanner.beginObject()
    while let field = try scanner.nextKey() {
      switch scanner.text(of: field) {
      case "dtype":
        guard dtype == nil, try scanner.peek() == UInt8(ascii: "\"") else {
          throw wrong("dtype occurs twice or is not a string", "the name of an element type")
        }
        dtype = scanner.text(of: try scanner.string())
      case "shape":
        guard shape == nil, let sizes = try unsignedIntegers() else {
          throw wrong("shape occurs twice or holds something else than sizes", "an array of whole numbers")
        }
        shape = sizes
      case "data_offsets":
        guard offsets == nil, let pair = try unsignedIntegers(), pair.count == 2 else {
          throw wrong("data_offsets occurs twice or is not a pair of offsets", "[begin, end]")
        }
        offsets = pair
      default: try scanner.skipValue()
      }
    }
    guard let dtype, let shape, let offsets else {
      let missing = dtype == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
      throw wrong("\(missing) is missing", "dtype, shape and data_offsets")
    }
    let tensor = SafetensorsTensor(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
    try check(tensor, key)
    return tensor
  }

  /// Compares the span of the offsets with shape and element type.
  private func check(_ tensor: SafetensorsTensor, _ key: Range<Int>) throws(FileError) {
    guard let width = SafetensorsDType.bits(tensor.dtype) else {
      throw failure(
        .safetensorsDType, tensor.name, key, "the dtype \"\(tensor.dtype)\" is unknown", "one of the format's types")
    }
    guard tensor.begin <= tensor.end else {
      throw failure(
        .safetensorsOffsets, tensor.name, key, "the tensor begins at \(tensor.begin) and ends at \(tensor.end)",
        "an end that is not before the beginning")
    }
    var bits: UInt64? = width
    for size in tensor.shape { bits = bits.flatMap { $0.multiplied(by: size) } }
    guard let bits, bits % 8 == 0, bits / 8 == tensor.end - tensor.begin else {
      let needed = bits.map { $0 % 8 == 0 ? "\($0 / 8) bytes" : "\($0) bits" } ?? "more than 64 bits can count"
      throw failure(
        .safetensorsTensorSize, tensor.name, key, "the offsets span \(tensor.end - tensor.begin) bytes",
        "what the shape \(tensor.shape.prefix(8)) takes in \(tensor.dtype): \(needed)")
    }
  }

  /// The array that stands next, or `nil` when it is no array or holds anything but whole numbers from 0 on.
  private mutating func unsignedIntegers() throws(FileError) -> [UInt64]? {
    guard try scanner.peek() == UInt8(ascii: "[") else { return nil }
    var values: [UInt64] = []
    try scanner.beginArray()
    while try scanner.nextElement() {
      let first = try scanner.peek()
      guard first != UInt8(ascii: "["), first != UInt8(ascii: "{"), let value = try scanner.unsignedInteger() else {
        return nil
      }
      values.append(value)
    }
    return values
  }

  private func failure(
    _ code: FileError.Code, _ name: String, _ key: Range<Int>, _ found: String, _ expected: String
  ) -> FileError {
    FileError(
      code, at: SourceLocation(path: path, byteOffset: 8 + UInt64(key.lowerBound), key: name), found: found,
      expected: expected, remedy: Self.remedy)
  }
}

extension UInt64 {
  /// The product, or `nil` when it does not fit.
  fileprivate func multiplied(by other: UInt64) -> UInt64? {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : product
  }
}
