// Blocks, in bytes; d and m are float16, all numbers little-endian:
//
//   Q4_0   d 2 │ nibbles 16                 element i < 16 is the low nibble of byte i, element 16 + i the high one
//   Q4_1   d 2 │ m 2 │ nibbles 16
//   Q5_0   d 2 │ fifth bits 4 │ nibbles 16  bit i of the four bytes belongs to element i
//   Q5_1   d 2 │ m 2 │ fifth bits 4 │ nibbles 16
//   Q8_0   d 2 │ Int8 32
//   Q4_K   d 2 │ m 2 │ scales 12 │ nibbles 128       8 groups of 32 elements; two groups share 32 bytes
//   Q5_K   d 2 │ m 2 │ scales 12 │ fifth bits 32 │ nibbles 128
//   Q6_K   nibbles 128 │ high bits 64 │ Int8 scales 16 │ d 2    16 groups of 16

extension WeightEncoding {
  /// The numbers of whole blocks, in float32 operations of ggml's own order, so that each bit is that of its
  /// `dequantize_row_*` and of gguf-py's `dequantize`.
  ///
  /// - Parameters:
  ///   - bytes: As many whole blocks as `values` has room for.
  ///   - values: Room for ``blockSize`` numbers from each block.
  func decode(_ bytes: RawSpan, into values: inout MutableSpan<Float>) {
    switch self {
    case .float32:
      for i in 0..<values.count { values[i] = Float(bitPattern: bytes.load(4 * i, UInt32.self)) }
    case .float16:
      for i in 0..<values.count { values[i] = bytes.half(2 * i) }
    case .bfloat16:
      for i in 0..<values.count { values[i] = Float(bitPattern: UInt32(bytes.load(2 * i, UInt16.self)) << 16) }
    default:
      for block in 0..<values.count / blockSize {
        decodeBlock(bytes, at: block * bytesPerBlock, into: &values, at: block * blockSize)
      }
    }
  }

  private func decodeBlock(_ bytes: RawSpan, at start: Int, into values: inout MutableSpan<Float>, at first: Int) {
    switch self {
    case .float32, .float16, .bfloat16: break
    case .q80:
      let d = bytes.half(start)
      for i in 0..<32 { values[first + i] = Float(bytes.load(start + 2 + i, Int8.self)) * d }
    case .q40, .q41, .q50, .q51: decodeSmall(bytes, at: start, into: &values, at: first)
    case .q4K, .q5K: decodeGroups(bytes, at: start, into: &values, at: first)
    case .q6K: decodeSixBits(bytes, at: start, into: &values, at: first)
    }
  }

  private func decodeSmall(_ bytes: RawSpan, at start: Int, into values: inout MutableSpan<Float>, at first: Int) {
    let hasMinimum = self == .q41 || self == .q51
    let hasFifthBit = self == .q50 || self == .q51
    let d = bytes.half(start)
    let m = hasMinimum ? bytes.half(start + 2) : 0
    let fifthBits = hasFifthBit ? bytes.load(start + (hasMinimum ? 4 : 2), UInt32.self) : 0
    let nibbles = start + bytesPerBlock - 16
    for i in 0..<32 {
      let byte = bytes.load(nibbles + i % 16, UInt8.self)
      let q = Int32(i < 16 ? byte & 15 : byte >> 4) | Int32(fifthBits >> UInt32(i) & 1) << 4
      values[first + i] = hasMinimum ? d * Float(q) + m : d * Float(q - (hasFifthBit ? 16 : 8))
    }
  }

  private func decodeGroups(_ bytes: RawSpan, at start: Int, into values: inout MutableSpan<Float>, at first: Int) {
    let (d, m) = (bytes.half(start), bytes.half(start + 2))
    let nibbles = start + bytesPerBlock - 128
    for group in 0..<8 {
      let (scale, minimum) = bytes.groupScales(start + 4, group: group)
      let (groupScale, groupMinimum) = (d * Float(scale), m * Float(minimum))
      for i in 0..<32 {
        let byte = bytes.load(nibbles + group / 2 * 32 + i, UInt8.self)
        var q = group % 2 == 0 ? byte & 15 : byte >> 4
        if self == .q5K { q |= (bytes.load(start + 16 + i, UInt8.self) >> UInt8(group) & 1) << 4 }
        values[first + group * 32 + i] = groupScale * Float(q) - groupMinimum
      }
    }
  }

  private func decodeSixBits(_ bytes: RawSpan, at start: Int, into values: inout MutableSpan<Float>, at first: Int) {
    let d = bytes.half(start + 208)
    for i in 0..<256 {
      // Each half of the block has 64 bytes of low nibbles, used twice, and 32 bytes of high bits, used four times.
      let (half, quarter, lane) = (i / 128, i % 128 / 32, i % 32)
      let nibbles = bytes.load(start + 64 * half + 32 * (quarter % 2) + lane, UInt8.self)
      let high = bytes.load(start + 128 + 32 * half + lane, UInt8.self) >> UInt8(2 * quarter) & 3
      let q = (quarter < 2 ? nibbles & 15 : nibbles >> 4) | high << 4
      let scale = d * Float(bytes.load(start + 192 + i / 16, Int8.self))
      values[first + i] = scale * Float(Int32(q) - 32)
    }
  }
}

extension RawSpan {
  /// A little-endian number; the offset is checked.
  @inline(__always)
  fileprivate func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: T.Type) -> T {
    // SAFETY: the load checks its bounds, and every bit pattern is an integer.
    T(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  @inline(__always)
  fileprivate func half(_ offset: Int) -> Float { Float(Float16(bitPattern: load(offset, UInt16.self))) }

  /// Scale and minimum of one of eight groups, six bits each: the first four groups in the low bits of bytes 0–3 and
  /// 4–7, the last four in the nibbles of bytes 8–11 with their upper two bits on top of the first eight bytes.
  fileprivate func groupScales(_ start: Int, group: Int) -> (scale: UInt8, minimum: UInt8) {
    func byte(_ i: Int) -> UInt8 { load(start + i, UInt8.self) }
    if group < 4 { return (byte(group) & 63, byte(group + 4) & 63) }
    let nibbles = byte(group + 4)
    return (nibbles & 15 | (byte(group - 4) >> 6) << 4, nibbles >> 4 | (byte(group) >> 6) << 4)
  }
}
