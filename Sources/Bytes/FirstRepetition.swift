/// The first of many names that equals an earlier one, found with a table of four bytes for each place.
///
/// - Parameters:
///   - count: Number of names, below 2¹⁹.
///   - hash: The ``nameHash(_:)`` of the name of an index.
///   - areEqual: Whether the names of two indices have the same bytes.
package func firstRepetition(
  count: Int, hash: (Int) -> UInt32, areEqual: (Int, Int) -> Bool
) -> (earlier: Int, later: Int)? {
  precondition(count < 1 << 19, "an index has 19 bits")
  // A power of two, and at least a third of it free.
  let size = 1 << (Int.bitWidth - (count + count / 2).leadingZeroBitCount)
  // An index plus one below the highest 13 bits of the hash, which tell most different names apart; 0 is a free place.
  var table = [UInt32](repeating: 0, count: size)
  for index in 0..<count {
    let hash = hash(index)
    var place = Int(hash) & (size - 1)
    while table[place] != 0 {
      let earlier = Int(table[place] & 0x7ffff) - 1
      if (table[place] ^ hash) >> 19 == 0, areEqual(earlier, index) { return (earlier, index) }
      place = (place + 1) & (size - 1)
    }
    table[place] = hash & ~0x7ffff | UInt32(index + 1)
  }
  return nil
}

/// Multiplies and folds words of eight bytes, as wyhash does.
///
/// Seeded anew in each process, so that no file can be made of names with the same hash.
package func nameHash(_ name: UnsafeRawBufferPointer) -> UInt32 {
  func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = (a ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: b ^ seed)
    return product.high ^ product.low
  }
  var state = seed ^ UInt64(name.count)
  var i = 0
  while i + 8 <= name.count {
    // SAFETY: Eight bytes stand at `i`.
    state = mixed(state, name.loadUnaligned(fromByteOffset: i, as: UInt64.self))
    i += 8
  }
  var last: UInt64 = 0
  while i < name.count {
    last = last << 8 | UInt64(name[i])
    i += 1
  }
  return UInt32(truncatingIfNeeded: mixed(state, last))
}

private let seed = UInt64(truncatingIfNeeded: Hasher().finalize())
