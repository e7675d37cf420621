import Bytes
import Diagnostics

extension GGUFFile {
  /// The edits that give keys values of exactly these types, and take other keys out.
  ///
  /// The value of a present key is written where the old one stands, with its type when that changes. A new key goes
  /// behind the last key that shares the longest dotted prefix with it, so that it stands with its relatives; without
  /// any, behind `general.architecture`, else at the end of the metadata. The metadata count follows, and the padding
  /// before the data section is made anew when the header's length changes: readers compute the data section's place,
  /// so it must begin at the first aligned byte. A file without tensors that has no padding gets none. Every other byte
  /// is kept; tensor infos never change, as their offsets count from the data section's start.
  ///
  /// - Parameters:
  ///   - setting: Keys and values. An array is one of this file's; its elements are copied, so a key can be renamed.
  ///   - removing: Keys to take out; absent ones are passed over.
  ///   - tensor: A tensor to add, or whose values to replace.
  /// - Throws: `gguf-edit` for a key named twice, for `general.alignment`, on which the tensors' places depend, for
  ///   keys that no file may have, and for a tensor that cannot be stored.
  package func edits(
    setting: [(key: String, value: GGUFValue)], removing: [String], storing tensor: GGUFFloatTensor? = nil,
    in source: any ByteSource
  ) throws(FileError) -> EditList {
    try checkKeys(setting.map(\.key) + removing)
    let stored = try tensor.map { tensor throws(FileError) in try self.edits(storing: tensor, in: source) }
    var edits = try entryEdits(setting: setting, removing: removing, in: source) + (stored?.header ?? [])
    let added = setting.count { entry($0.key) == nil }
    let removed = removing.count { entry($0) != nil }
    let (old, new) = (UInt64(metadata.count), UInt64(metadata.count + added - removed))
    edits.append(ByteEdit(at: 16, expected: encode(old), replacement: encode(new)))
    if let padding = try paddingEdit(after: edits, holdsTensors: stored != nil, in: source) { edits.append(padding) }
    return EditList(edits + [stored?.data].compactMap(\.self))
  }

  /// The edits of the metadata's entries alone.
  func entryEdits(
    setting: [(key: String, value: GGUFValue)], removing: [String], in source: any ByteSource
  ) throws(FileError) -> [ByteEdit] {
    var edits: [ByteEdit] = []
    // Additions come first: a removal may begin where an addition stands, and edits of one place keep their order.
    for (key, value) in setting where entry(key) == nil && key != Self.fillerKey {
      edits.append(ByteEdit(at: place(for: key), expected: [], replacement: try encodeEntry(key, value, from: source)))
    }
    for (key, value) in setting {
      guard let old = entry(key) else { continue }
      // The type tag stands before the value, and is left out of the edit when it stays.
      let sameType = old.value.type == value.type
      let start = old.valueRange.lowerBound - (sameType ? 0 : 4)
      let bytes = try (sameType ? [] : encode(value.type.rawValue)) + encode(value, from: source)
      edits.append(try edit(start..<old.valueRange.upperBound, to: bytes, in: source))
    }
    for key in removing {
      guard let old = entry(key) else { continue }
      edits.append(try edit(old.entry, to: [], in: source))
    }
    // A new filler stands behind the last entry that changes its length, so that no entry behind it moves against the
    // data.
    for (key, value) in setting where key == Self.fillerKey && entry(key) == nil {
      let last = edits.filter { $0.sizeChange != 0 }.map(\.end).max() ?? headerEnd
      let place = metadata.first { $0.entry.upperBound >= last }?.entry.upperBound ?? Self.metadataStart
      edits.append(ByteEdit(at: place, expected: [], replacement: try encodeEntry(key, value, from: source)))
    }
    return edits
  }

  private func encodeEntry(_ key: String, _ value: GGUFValue, from source: any ByteSource) throws(FileError) -> [UInt8]
  {
    try encodeText(key) + encode(value.type.rawValue) + encode(value, from: source)
  }

  /// The bytes of a value without its type, in the file's byte order.
  ///
  /// - Parameter source: This file; an array's elements are copied from it.
  package func encode(_ value: GGUFValue, from source: any ByteSource) throws(FileError) -> [UInt8] {
    switch value {
    case .uint8(let value): encode(value)
    case .int8(let value): encode(value)
    case .uint16(let value): encode(value)
    case .int16(let value): encode(value)
    case .uint32(let value): encode(value)
    case .int32(let value): encode(value)
    case .float32(let value): encode(value.bitPattern)
    case .bool(let value): [value ? 1 : 0]
    case .string(let value): encodeText(value)
    case .uint64(let value): encode(value)
    case .int64(let value): encode(value)
    case .float64(let value): encode(value.bitPattern)
    case .array(let array):
      try encode(array.elementType.rawValue) + encode(array.count) + source.bytes(in: array.elements)
    }
  }

  func encodeText(_ text: String) -> [UInt8] { encode(UInt64(text.utf8.count)) + Array(text.utf8) }

  func encode<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: byteOrder == .little ? value.littleEndian : value.bigEndian) { Array($0) }
  }

  private func edit(
    _ range: Range<UInt64>, to replacement: [UInt8], in source: any ByteSource
  ) throws(FileError) -> ByteEdit {
    ByteEdit(at: range.lowerBound, expected: try source.bytes(in: range), replacement: replacement)
  }

  private func checkKeys(_ keys: [String]) throws(FileError) {
    var seen: Set<String> = []
    for key in keys {
      let reason: String? =
        if key == Self.alignmentKey {
          "a change of the alignment"
        } else if key.isEmpty || key.utf8.count > GGUFLimit.name {
          "a key of \(key.utf8.count) bytes"
        } else if !seen.insert(key).inserted {
          "two changes of one key"
        } else {
          nil
        }
      guard let reason else { continue }
      throw FileError(
        .ggufEdit, at: SourceLocation(path: path, key: key), found: reason,
        expected: "keys of 1 to \(GGUFLimit.name) bytes, each once, not \(Self.alignmentKey)",
        remedy: "correct the list of changes")
    }
  }

  /// Where a new key goes.
  private func place(for key: String) -> UInt64 {
    var prefix = key[...]
    while let dot = prefix.lastIndex(of: ".") {
      prefix = prefix[..<dot]
      let family = key[...dot].utf8
      if let relative = metadata.last(where: { $0.key.utf8.starts(with: family) }) { return relative.entry.upperBound }
    }
    return (entry("general.architecture") ?? metadata.last)?.entry.upperBound ?? Self.metadataStart
  }

  /// Only a file without tensors can end with its header.
  var endsUnpadded: Bool { fileSize == headerEnd || fileSize < dataOffset }

  /// New padding between header and data section, or `nil` when the header keeps its length or ends the file.
  private func paddingEdit(
    after edits: [ByteEdit], holdsTensors: Bool, in source: any ByteSource
  ) throws(FileError) -> ByteEdit? {
    let removed = edits.reduce(0) { $0 + $1.expected.count }
    let added = edits.reduce(0) { $0 + $1.replacement.count }
    guard holdsTensors || added != removed && !endsUnpadded else { return nil }
    let newEnd = headerEnd - UInt64(removed) + UInt64(added)
    let padding = (alignment - newEnd % alignment) % alignment
    return try edit(headerEnd..<min(dataOffset, fileSize), to: [UInt8](repeating: 0, count: Int(padding)), in: source)
  }
}
