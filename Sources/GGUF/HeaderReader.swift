import Bytes
import Diagnostics

/// Reads the parts of a GGUF header, each where the one before it ended.
struct HeaderReader: ~Copyable {
  private(set) var bytes: ByteReader
  /// What is left of ``GGUFLimit/text``.
  private var textBudget = GGUFLimit.text
  /// What is left of ``GGUFLimit/walked``.
  private var walkBudget = GGUFLimit.walked

  /// A reader of values from `offset` on.
  init(_ source: any ByteSource, byteOrder: ByteOrder = .little, at offset: UInt64 = 0) throws(FileError) {
    bytes = ByteReader(source)
    bytes.byteOrder = byteOrder
    try bytes.skip(offset, for: "the header")
  }

  var offset: UInt64 { bytes.offset }

  /// The version; sets the byte order, which the file does not state otherwise.
  ///
  /// A version is a small number, so the one that looks like a multiple of 65536 was written the other way round.
  mutating func version() throws(FileError) -> UInt32 {
    let start = offset
    var version = try bytes.integer(UInt32.self)
    if version & 0xffff == 0 {
      bytes.byteOrder = .big
      version = version.byteSwapped
    }
    guard version != 2, version != 3 else { return version }
    throw refusal(
      .ggufVersion, at: start, found: "GGUF version \(version)", expected: "version 2 or 3",
      remedy: version == 1 ? GGUFRemedy.convert : "use a release of this tool that knows the version, if there is one")
  }

  /// A count of things that take at least `minimum` bytes each.
  mutating func count(of things: String, minimum: UInt64) throws(FileError) -> UInt64 {
    let start = offset
    let count = try bytes.integer(UInt64.self)
    _ = try length(of: count, things, minimum: minimum, countedAt: start)
    return count
  }

  /// `count` times `minimum`, when the file still holds so much; nothing is reserved or skipped before.
  private func length(
    of count: UInt64, _ things: String, minimum: UInt64, countedAt start: UInt64
  ) throws(FileError) -> UInt64 {
    let (length, overflow) = count.multipliedReportingOverflow(by: minimum)
    guard !overflow, length <= bytes.remaining else {
      throw refusal(
        .ggufCount, at: start, found: "\(count) \(things) are promised and \(bytes.remaining) bytes follow",
        expected: "at least \(minimum) bytes for each", remedy: GGUFRemedy.download)
    }
    return length
  }

  // MARK: Text

  /// A key or a tensor's name.
  private mutating func name(_ what: String) throws(FileError) -> String {
    let start = offset
    let name = try text(what)
    guard !name.isEmpty, name.utf8.count <= GGUFLimit.name else {
      throw refusal(
        .ggufName, at: start, found: "\(what) of \(name.utf8.count) bytes",
        expected: "1 to \(GGUFLimit.name) bytes", remedy: GGUFRemedy.convert)
    }
    return name
  }

  private mutating func text(_ what: String) throws(FileError) -> String {
    let start = offset
    let length = try bytes.integer(UInt64.self)
    // What the file does not hold is reported as truncated by the read below.
    guard length <= textBudget || length > bytes.remaining else {
      throw refusal(
        .ggufTextLength, at: start, found: "\(what) of \(length) bytes",
        expected: "at most \(GGUFLimit.text) bytes of text in a header", remedy: GGUFRemedy.convert)
    }
    let content = try bytes.bytes(Int(clamping: length), for: what)
    textBudget -= length
    guard let text = String(validating: content, as: UTF8.self) else {
      throw refusal(
        .ggufEncoding, at: start + 8, found: "\(what) that is not UTF-8", expected: "UTF-8",
        remedy: GGUFRemedy.convert)
    }
    return text
  }

  // MARK: Metadata

  mutating func keyValue() throws(FileError) -> GGUFKeyValue {
    let start = offset
    let key = try name("a key")
    do throws(FileError) {
      let type = try valueType()
      let valueStart = offset
      let value = try value(type)
      return GGUFKeyValue(key: key, value: value, entry: start..<offset, valueRange: valueStart..<offset)
    } catch {
      throw error.about(key)
    }
  }

  private mutating func valueType() throws(FileError) -> GGUFValueType {
    let start = offset
    let raw = try bytes.integer(UInt32.self)
    if let type = GGUFValueType(rawValue: raw) { return type }
    throw refusal(
      .ggufValueType, at: start, found: "the value type is \(raw)", expected: "0 (UINT8) to 12 (FLOAT64)",
      remedy: GGUFRemedy.convert)
  }

  /// A value of a known type; an array is described and hopped over.
  mutating func value(_ type: GGUFValueType) throws(FileError) -> GGUFValue {
    switch type {
    case .uint8: .uint8(try bytes.integer(UInt8.self))
    case .int8: .int8(try bytes.integer(Int8.self))
    case .uint16: .uint16(try bytes.integer(UInt16.self))
    case .int16: .int16(try bytes.integer(Int16.self))
    case .uint32: .uint32(try bytes.integer(UInt32.self))
    case .int32: .int32(try bytes.integer(Int32.self))
    case .float32: .float32(Float(bitPattern: try bytes.integer(UInt32.self)))
    case .bool: .bool(try bool())
    case .string: .string(try text("a string"))
    case .array: .array(try array(depth: 1))
    case .uint64: .uint64(try bytes.integer(UInt64.self))
    case .int64: .int64(try bytes.integer(Int64.self))
    case .float64: .float64(Double(bitPattern: try bytes.integer(UInt64.self)))
    }
  }

  private mutating func bool() throws(FileError) -> Bool {
    let start = offset
    let byte = try bytes.integer(UInt8.self)
    guard byte < 2 else {
      throw refusal(
        .ggufBool, at: start, found: "a bool of value \(byte)", expected: "0 or 1", remedy: GGUFRemedy.convert)
    }
    return byte == 1
  }

  private mutating func array(depth: Int) throws(FileError) -> GGUFArray {
    let start = offset
    guard depth <= GGUFLimit.nesting else {
      throw refusal(
        .ggufNesting, at: start, found: "arrays nested deeper than \(GGUFLimit.nesting)",
        expected: "at most \(GGUFLimit.nesting) levels", remedy: GGUFRemedy.convert)
    }
    let type = try valueType()
    let count = try bytes.integer(UInt64.self)
    let first = offset
    let length = try length(of: count, "array elements", minimum: type.minimumWidth, countedAt: start + 4)
    if type == .string || type == .array {
      guard count <= walkBudget else {
        throw refusal(
          .ggufCount, at: start + 4, found: "\(count) strings or arrays in an array",
          expected: "at most \(GGUFLimit.walked) in a header", remedy: GGUFRemedy.convert)
      }
      walkBudget -= count
    }
    switch type {
    case .string: try bytes.skipRuns(count, for: "an array's string")
    case .array: for _ in 0..<count { _ = try array(depth: depth + 1) }
    default: try bytes.skip(length, for: "an array")
    }
    return GGUFArray(elementType: type, count: count, elements: first..<offset)
  }

  // MARK: Tensor infos

  mutating func tensorInfo() throws(FileError) -> GGUFTensorInfo {
    let start = offset
    let name = try name("a tensor name")
    do throws(FileError) {
      let dimensionsStart = offset
      let dimensions = try dimensions()
      let type = GGUFTensorType(rawValue: try bytes.integer(UInt32.self))
      guard let size = Self.size(dimensions, type) else {
        throw refusal(
          .ggufDimensions, at: dimensionsStart, found: "dimensions \(dimensions) of \(type.name)",
          expected: "sizes of at least 1, whole blocks of \(type.blockSize ?? 1) in the first, below 2⁶³ in all",
          remedy: GGUFRemedy.download)
      }
      let dataOffset = try bytes.integer(UInt64.self)
      return GGUFTensorInfo(
        name: name, dimensions: dimensions, type: type, offset: dataOffset, elementCount: size.elements,
        byteCount: size.bytes, infoRange: start..<offset)
    } catch {
      throw error.about(name)
    }
  }

  private mutating func dimensions() throws(FileError) -> [UInt64] {
    let start = offset
    let count = try bytes.integer(UInt32.self)
    guard count <= GGUFLimit.dimensions else {
      throw refusal(
        .ggufDimensions, at: start, found: "\(count) dimensions", expected: "at most \(GGUFLimit.dimensions)",
        remedy: GGUFRemedy.download)
    }
    var dimensions: [UInt64] = []
    for _ in 0..<count { dimensions.append(try bytes.integer(UInt64.self)) }
    return dimensions
  }

  /// Elements and bytes of a tensor, or `nil` when no tensor has these dimensions.
  private static func size(_ dimensions: [UInt64], _ type: GGUFTensorType) -> (elements: UInt64, bytes: UInt64?)? {
    var elements: UInt64 = 1
    for dimension in dimensions {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard product > 0, !overflow, product < UInt64(Int64.max) else { return nil }
      elements = product
    }
    guard let block = type.blockSize, let width = type.bytesPerBlock else { return (elements, nil) }
    let (bytes, overflow) = (elements / block).multipliedReportingOverflow(by: width)
    guard (dimensions.first ?? 1).isMultiple(of: block), !overflow else { return nil }
    return (elements, bytes)
  }

  // MARK: Refusals

  private func refusal(
    _ code: FileError.Code, at offset: UInt64, found: String, expected: String, remedy: String
  ) -> FileError {
    FileError(
      code, at: SourceLocation(path: bytes.source.path, byteOffset: offset), found: found, expected: expected,
      remedy: remedy)
  }
}
