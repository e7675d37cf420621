import Bytes
import Diagnostics

extension GGUFFile {
  /// The filler's value with which a change moves no tensor, or moves all of them by whole blocks.
  ///
  /// A filler that the file has gives what the change needs and takes what it leaves. Without one, or when it is too
  /// short, the header grows by the quantum or a multiple of it, and the filler takes what the change does not need. A
  /// change whose end the padding before the data takes up needs no filler, unless much of the header would move for it.
  ///
  /// - Parameters:
  ///   - quantum: Bytes that the file can grow by at small cost, or `nil` when it can only be written anew.
  /// - Returns: What to set beside `setting`, or `nil` when the change is better made without.
  package func filler(
    setting: [(key: String, value: GGUFValue)], removing: [String], storing tensor: GGUFFloatTensor? = nil,
    growingBy quantum: UInt64?, in source: any ByteSource
  ) throws(FileError) -> (key: String, value: GGUFValue)? {
    let stored = try tensor.map { tensor throws(FileError) in try self.edits(storing: tensor, in: source) }
    let edits = try entryEdits(setting: setting, removing: removing, in: source) + (stored?.header ?? [])
    let change = edits.reduce(0) { $0 + $1.sizeChange }
    guard change != 0, !(setting.map(\.key) + removing).contains(Self.fillerKey) else { return nil }
    let length: Int64
    if let old = self[Self.fillerKey] {
      guard let room = old.stringValue.map({ Int64($0.utf8.count) }) else { return nil }
      guard let growth = growth(for: change - room, quantum) else { return nil }
      length = room + growth - change
    } else {
      // Key length, key, type and text length come before the text.
      let overhead = Int64(8 + Self.fillerKey.utf8.count + 4 + 8)
      guard !paddingTakes(change, from: edits), !endsUnpadded, quantum != nil,
        let growth = growth(for: change + overhead, quantum), growth != change
      else { return nil }
      length = growth - change - overhead
    }
    return (Self.fillerKey, .string(String(repeating: " ", count: Int(length))))
  }

  /// The least growth that gives these bytes: 0 when they are not needed, `nil` when it would cost a copy of the data.
  private func growth(for bytes: Int64, _ quantum: UInt64?) -> Int64? {
    guard bytes > 0 else { return 0 }
    // Both are powers of two, so the larger one keeps the data's place a multiple of either.
    guard let quantum, !endsUnpadded, let step = Int64(exactly: max(quantum, alignment)), step <= Self.stepLimit else {
      return nil
    }
    return bytes.rounded(upTo: step)
  }

  /// Larger blocks and alignments are not worth a filler of that length.
  private static let stepLimit: Int64 = 1 << 20

  /// Whether the padding before the data can take up the change, and little has to move for it.
  private func paddingTakes(_ change: Int64, from edits: [ByteEdit]) -> Bool {
    let newEnd = Int64(headerEnd) + change
    let start = edits.filter { $0.sizeChange != 0 }.map(\.offset).min() ?? headerEnd
    return newEnd.rounded(upTo: Int64(alignment)) == Int64(dataOffset) && dataOffset - start <= 64 << 10
  }
}

extension Int64 {
  fileprivate func rounded(upTo unit: Int64) -> Int64 { (self + unit - 1) / unit * unit }
}
