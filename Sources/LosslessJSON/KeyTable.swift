/// Finds keys of one object by the bytes that they say, with a table of hashes.
///
/// The hash is seeded anew in each process, so that no file can be made to fill one place of the table.
struct KeyTable: Sendable {
  private var slots: [Slot] = []

  private struct Slot {
    var hash: UInt32 = 0
    /// Of a key; the first entry of a text is none, so 0 means that the slot is free.
    var entry: UInt32 = 0
  }

  /// Empties the table for an object with so many keys.
  mutating func reset(for count: Int) {
    // A power of two, and at least a third of it free.
    let size = 1 << (Int.bitWidth - (count + count / 2).leadingZeroBitCount)
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(Slot(), count: size))
  }

  /// Puts a key in the place of an equal one, or in a free one.
  ///
  /// - Returns: The equal key that was there.
  mutating func insert(_ key: Int, of tape: JSONTape) -> Int? {
    let hash = Self.hash(key, of: tape)
    let place = place(of: hash) { other in tape.text(other).isExactly(tape.text(key)) }
    let earlier = slots[place].entry
    slots[place] = Slot(hash: hash, entry: UInt32(key))
    return earlier == 0 ? nil : Int(earlier)
  }

  /// The last key that says exactly these bytes.
  func key(_ wanted: UnsafeRawBufferPointer, of tape: JSONTape) -> Int? {
    var hasher = Hasher()
    hasher.combine(bytes: wanted)
    let place = place(of: UInt32(truncatingIfNeeded: hasher.finalize())) { tape.text($0, is: wanted) }
    return slots[place].entry == 0 ? nil : Int(slots[place].entry)
  }

  /// The slot of a key with this hash that `isEqual`, or the free one where it belongs.
  private func place(of hash: UInt32, where isEqual: (Int) -> Bool) -> Int {
    var place = Int(hash) & (slots.count - 1)
    while slots[place].entry != 0, slots[place].hash != hash || !isEqual(Int(slots[place].entry)) {
      place = (place + 1) & (slots.count - 1)
    }
    return place
  }

  private static func hash(_ key: Int, of tape: JSONTape) -> UInt32 {
    var hasher = Hasher()
    let range = tape.range(key)
    tape.bytes.withUnsafeBytes { bytes in
      // SAFETY: The scanner made the range, which lies in the text.
      let content = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound + 1..<range.upperBound - 1])
      if content.contains(UInt8(ascii: "\\")) {
        ExactKey(tape.text(key)).hash(into: &hasher)
      } else {
        hasher.combine(bytes: content)
      }
    }
    return UInt32(truncatingIfNeeded: hasher.finalize())
  }
}
