import Bytes

/// The metadata of a GGUF file in its order.
///
/// An entry is made when it is asked for: what is kept is the text of keys and strings, the numbers, and 16 bytes for each
/// entry.
public struct GGUFMetadata: RandomAccessCollection, Sendable {
  struct Entry {
    /// Offset of the entry in the file.
    var start: UInt64
    /// Where the key stands in ``text``. Behind it stand a number's bytes, a string's length and its text, or an
    /// array's count and the end of its elements; lengths, counts and offsets in 8 bytes.
    var text: UInt32
    var keyLength: UInt16
    var type: GGUFValueType
    /// Of an array.
    var elementType = GGUFValueType.uint8
  }

  var entries: [Entry] = []
  var text: [UInt8] = []
  /// Behind the file's own, see ``GGUFFile/imagining(_:_:)``.
  private var imagined: [GGUFKeyValue] = []

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count + imagined.count }

  public subscript(index: Int) -> GGUFKeyValue {
    guard index < entries.count else { return imagined[index - entries.count] }
    let entry = entries[index]
    let valueStart = entry.start + 8 + UInt64(entry.keyLength) + 4
    let behindKey = Int(entry.text) + Int(entry.keyLength)
    let width = entry.type.fixedWidth ?? 8
    let number = text.littleEndian(at: behindKey, Int(width))
    let value: GGUFValue
    let end: UInt64
    switch entry.type {
    case .string:
      value = .string(String(decoding: text[behindKey + 8..<behindKey + 8 + Int(number)], as: UTF8.self))
      end = valueStart + 8 + number
    case .array:
      end = text.littleEndian(at: behindKey + 8, 8)
      value = .array(GGUFArray(elementType: entry.elementType, count: number, elements: valueStart + 12..<end))
    default:
      value = GGUFValue(entry.type, bits: number)
      end = valueStart + width
    }
    return GGUFKeyValue(key: key(of: entry), value: value, entry: entry.start..<end, valueRange: valueStart..<end)
  }

  /// The entries whose keys begin so, without a look at the values of others.
  package func entries(startingWith prefix: String) -> [GGUFKeyValue] {
    let prefix = Array(prefix.utf8)
    return indices.filter { index in
      index < entries.count ? keyBytes(index).starts(with: prefix) : self[index].key.utf8.starts(with: prefix)
    }.map { self[$0] }
  }

  /// The place of a key; keys are compared byte by byte.
  func firstIndex(ofKey key: String) -> Int? {
    let wanted = Array(key.utf8)
    return entries.indices.first { entries[$0].keyLength == wanted.count && keyBytes($0).elementsEqual(wanted) }
      ?? imagined.firstIndex { $0.key.utf8.elementsEqual(wanted) }.map { entries.count + $0 }
  }

  /// Gives a key another value, or none. An imagined entry has no place.
  mutating func imagine(_ key: String, _ value: GGUFValue?) {
    if let old = firstIndex(ofKey: key) {
      if old < entries.count { entries.remove(at: old) } else { imagined.remove(at: old - entries.count) }
    }
    if let value { imagined.append(GGUFKeyValue(key: key, value: value, entry: 0..<0, valueRange: 0..<0)) }
  }

  /// A key that occurs twice.
  var repetition: (earlier: Int, later: Int)? {
    firstRepetition(count: entries.count) { index in
      keyBytes(index).withUnsafeBytes { nameHash($0) }
    } areEqual: { a, b in
      keyBytes(a) == keyBytes(b)
    }
  }

  /// The key of an entry.
  func key(of entry: Entry) -> String { String(decoding: keyBytes(entry), as: UTF8.self) }

  private func keyBytes(_ index: Int) -> ArraySlice<UInt8> { keyBytes(entries[index]) }

  private func keyBytes(_ entry: Entry) -> ArraySlice<UInt8> {
    text[Int(entry.text)..<Int(entry.text) + Int(entry.keyLength)]
  }
}

extension [UInt8] {
  /// The number of `width` bytes at `place`.
  func littleEndian(at place: Int, _ width: Int) -> UInt64 {
    self[place..<place + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Appends the lowest `width` bytes of a number.
  mutating func append(littleEndian number: UInt64, _ width: Int) {
    Swift.withUnsafeBytes(of: number.littleEndian) { self += $0[..<width] }
  }
}
