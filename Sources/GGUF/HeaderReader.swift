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
    guard count <= GGUFLimit.entries else {
      throw refusal(
        .ggufCount, at: start, found: "\(count) \(things)", expected: "at most \(GGUFLimit.entries)",
        remedy: GGUFRemedy.convert)
    }
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

  /// Appends a key or a tensor's name to `text`.
  ///
  /// - Returns: Its length.
  private mutating func name(_ what: String, to names: inout [UInt8]) throws(FileError) -> UInt16 {
    let start = offset
    let length = try text(what, to: &names)
    guard length > 0, let length = UInt16(exactly: length) else {
      throw refusal(
        .ggufName, at: start, found: "\(what) of \(length) bytes",
        expected: "1 to \(GGUFLimit.name) bytes", remedy: GGUFRemedy.convert)
    }
    return length
  }

  /// Appends a text to `bytes`.
  ///
  /// - Returns: Its length.
  private mutating func text(_ what: String, to text: inout [UInt8]) throws(FileError) -> UInt64 {
    let start = offset
    let length = try bytes.integer(UInt64.self)
    // What the file does not hold is reported as truncated by the read below.
    guard length <= textBudget || length > bytes.remaining else {
      throw refusal(
        .ggufTextLength, at: start, found: "\(what) of \(length) bytes",
        expected: "at most \(GGUFLimit.text) bytes of text in a header", remedy: GGUFRemedy.convert)
    }
    let first = text.count
    try bytes.append(length, to: &text, for: what)
    textBudget -= length
    guard (try? UTF8Span(validating: text.span.extracting(first...))) != nil else {
      throw refusal(
        .ggufEncoding, at: start + 8, found: "\(what) that is not UTF-8", expected: "UTF-8",
        remedy: GGUFRemedy.convert)
    }
    return length
  }

  // MARK: Metadata

  /// Appends the entry that stands next.
  mutating func keyValue(into metadata: inout GGUFMetadata) throws(FileError) {
    var entry = GGUFMetadata.Entry(
      start: offset, text: UInt32(metadata.text.count), keyLength: 0, type: .uint8)
    entry.keyLength = try name("a key", to: &metadata.text)
    do throws(FileError) {
      entry.type = try valueType()
      switch entry.type {
      case .string:
        // The length is known when the text has been read.
        let length = metadata.text.count
        metadata.text.append(littleEndian: 0, 8)
        let count = try text("a string", to: &metadata.text)
        for i in 0..<8 { metadata.text[length + i] = UInt8(truncatingIfNeeded: count >> UInt64(8 * i)) }
      case .array:
        let array = try array(depth: 1)
        entry.elementType = array.elementType
        metadata.text.append(littleEndian: array.count, 8)
        metadata.text.append(littleEndian: array.elements.upperBound, 8)
      default: metadata.text.append(littleEndian: try number(entry.type), Int(entry.type.fixedWidth ?? 0))
      }
    } catch {
      throw error.about(metadata.key(of: entry))
    }
    metadata.entries.append(entry)
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
    case .string:
      var content: [UInt8] = []
      _ = try text("a string", to: &content)
      return .string(String(decoding: content, as: UTF8.self))
    case .array: return .array(try array(depth: 1))
    default: return GGUFValue(type, bits: try number(type))
    }
  }

  /// The bits of a value of fixed width.
  private mutating func number(_ type: GGUFValueType) throws(FileError) -> UInt64 {
    switch type.fixedWidth {
    case 1: UInt64(type == .bool ? try bool() : try bytes.integer(UInt8.self))
    case 2: UInt64(try bytes.integer(UInt16.self))
    case 4: UInt64(try bytes.integer(UInt32.self))
    default: try bytes.integer(UInt64.self)
    }
  }

  private mutating func bool() throws(FileError) -> UInt8 {
    let start = offset
    let byte = try bytes.integer(UInt8.self)
    guard byte < 2 else {
      throw refusal(
        .ggufBool, at: start, found: "a bool of value \(byte)", expected: "0 or 1", remedy: GGUFRemedy.convert)
    }
    return byte
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

  /// Appends the info that stands next.
  mutating func tensorInfo(into tensors: inout GGUFTensors) throws(FileError) {
    let text = tensors.text.count
    let nameLength = try name("a tensor name", to: &tensors.text)
    do throws(FileError) {
      let dimensionsStart = offset
      let dimensions = try dimensions()
      let type = GGUFTensorType(rawValue: try bytes.integer(UInt32.self))
      guard GGUFTensorInfo.size(dimensions, type) != nil else {
        throw refusal(
          .ggufDimensions, at: dimensionsStart, found: "dimensions \(dimensions) of \(type.name)",
          expected: "sizes of at least 1, whole blocks of \(type.blockSize ?? 1) in the first, below 2⁶³ in all",
          remedy: GGUFRemedy.download)
      }
      let offset = try bytes.integer(UInt64.self)
      for dimension in dimensions { tensors.text.append(littleEndian: dimension, 8) }
      tensors.infos.append(
        GGUFTensors.Info(
          offset: offset, text: UInt32(text), type: type, nameLength: nameLength,
          dimensionCount: UInt8(dimensions.count)))
    } catch {
      throw error.about(String(decoding: tensors.text[text..<text + Int(nameLength)], as: UTF8.self))
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

  // MARK: Refusals

  private func refusal(
    _ code: FileError.Code, at offset: UInt64, found: String, expected: String, remedy: String
  ) -> FileError {
    FileError(
      code, at: SourceLocation(path: bytes.source.path, byteOffset: offset), found: found, expected: expected,
      remedy: remedy)
  }
}
