/// Heads with lanes in -1..<1, by SplitMix64 from a fixed seed: the same in every run.
struct HeadGenerator {
  private var state: UInt64 = 0x5eed

  /// Mean of a lane's square.
  static let variance = 1 / 3.0

  private mutating func lane() -> Float {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return Float((z ^ z >> 31) >> 40) / 0x80_0000 - 1
  }

  mutating func head(_ count: Int) -> [Float] { (0..<count).map { _ in lane() } }

  /// A head of length 1.
  mutating func unitHead(_ count: Int) -> [Float] {
    let head = head(count)
    let length = squaredLength(head).squareRoot()
    return head.map { Float(Double($0) / length) }
  }

  /// Other lanes in the place of those before.
  mutating func fill(_ heads: inout [Float], _ count: Int) {
    if heads.count != count { heads = [Float](repeating: 0, count: count) }
    for index in heads.indices { heads[index] = lane() }
  }
}

/// The largest magnitude so far; once not a number, always.
struct Largest {
  private(set) var value = 0.0

  mutating func add(_ x: Double) {
    if x.isNaN || abs(x) > value { value = abs(x) }
  }
}

/// `Σ x²`.
func squaredLength(_ head: [Float]) -> Double { head.reduce(0) { $0 + Double($1) * Double($1) } }
