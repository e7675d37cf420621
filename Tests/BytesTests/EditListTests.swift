import Bytes
import TestSupport
import Testing

@Suite struct EditListTests {
  @Test func `the inverse of random edits gives the old bytes back`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let old = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var edits: [ByteEdit] = []
      var position = 0
      while position <= old.count, edits.count < 6 {
        let start = Int.random(in: position...old.count, using: &random)
        let end = Int.random(in: start...min(old.count, start + 9), using: &random)
        let new = (0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        edits.append(ByteEdit(at: UInt64(start), expected: Array(old[start..<end]), replacement: new))
        position = end + 1
      }
      let list = EditList(edits.shuffled(using: &random))
      let new = list.apply(to: old)
      #expect(new != nil, "seed \(seed)")
      #expect(new.flatMap { list.inverse.apply(to: $0) } == old, "seed \(seed)")
      #expect(new.map { $0.count } == old.count + Int(list.sizeChange), "seed \(seed)")
    }
  }

  @Test func `bytes other than the expected ones are refused`() {
    let list = EditList([ByteEdit(at: 1, expected: [2], replacement: [9, 9])])
    #expect(list.apply(to: [1, 2, 3]) == [1, 9, 9, 3])
    #expect(list.apply(to: [1, 4, 3]) == nil)
    #expect(list.apply(to: [1]) == nil)
  }
}
