extension SeededGenerator {
  /// The bytes with a few changes of the kinds that break parsers: bytes replaced, removed, doubled, moved.
  public mutating func mutation(of bytes: [UInt8], inserting alphabet: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &self) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &self)
      let byte = alphabet.randomElement(using: &self) ?? 0
      switch Int.random(in: 0..<6, using: &self) {
      case 0: bytes[place] = byte
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(byte, at: place)
      case 3: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &self))
      case 4:
        let end = Int.random(in: place...min(bytes.count, place + 12), using: &self)
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      }
    }
    return bytes
  }
}
