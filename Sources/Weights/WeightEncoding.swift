/// How a file stores the numbers of a weight: plainly, or in ggml's blocks with a scale each.
///
/// Both containers call the plain ones by the same names, and these are the raw values.
package enum WeightEncoding: String, Sendable, CaseIterable {
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  /// Numbers in a block; 1 where there are no blocks.
  package var blockSize: Int {
    switch self {
    case .float32, .float16, .bfloat16: 1
    case .q40, .q41, .q50, .q51, .q80: 32
    case .q4K, .q5K, .q6K: 256
    }
  }

  /// Bytes of a block.
  package var bytesPerBlock: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .q40: 18
    case .q41: 20
    case .q50: 22
    case .q51: 24
    case .q80: 34
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    }
  }
}
