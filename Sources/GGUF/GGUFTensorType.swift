/// How a tensor's elements are stored: plain numbers, or blocks of quantised ones.
public struct GGUFTensorType: RawRepresentable, Sendable, Hashable {
  /// ggml's number for the type.
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let float32 = GGUFTensorType(rawValue: 0)
  public static let float16 = GGUFTensorType(rawValue: 1)
  public static let float64 = GGUFTensorType(rawValue: 28)

  /// ggml's name, or `type 99` for a number we do not know.
  public var name: String { Self.known[rawValue]?.name ?? "type \(rawValue)" }
  /// Elements of one block, or `nil` when unknown.
  public var blockSize: UInt64? { Self.known[rawValue]?.block?.elements }
  /// Bytes of one block, or `nil` when unknown.
  public var bytesPerBlock: UInt64? { Self.known[rawValue]?.block?.bytes }

  private typealias Known = (name: String, block: (elements: UInt64, bytes: UInt64)?)

  /// ggml's `enum ggml_type` and block structures, as of gguf-py 0.19.0; `Q8_1` after ggml's own structure.
  ///
  /// Numbers 4, 5 and 36–38 were given up before files held them, and forks use some of these for their own; they stay
  /// unknown. 31–33 were `Q4_0` in another order.
  private static let known: [UInt32: Known] = [
    0: ("F32", (1, 4)), 1: ("F16", (1, 2)), 2: ("Q4_0", (32, 18)), 3: ("Q4_1", (32, 20)),
    6: ("Q5_0", (32, 22)), 7: ("Q5_1", (32, 24)), 8: ("Q8_0", (32, 34)), 9: ("Q8_1", (32, 36)),
    10: ("Q2_K", (256, 84)), 11: ("Q3_K", (256, 110)), 12: ("Q4_K", (256, 144)), 13: ("Q5_K", (256, 176)),
    14: ("Q6_K", (256, 210)), 15: ("Q8_K", (256, 292)), 16: ("IQ2_XXS", (256, 66)), 17: ("IQ2_XS", (256, 74)),
    18: ("IQ3_XXS", (256, 98)), 19: ("IQ1_S", (256, 50)), 20: ("IQ4_NL", (32, 18)), 21: ("IQ3_S", (256, 110)),
    22: ("IQ2_S", (256, 82)), 23: ("IQ4_XS", (256, 136)), 24: ("I8", (1, 1)), 25: ("I16", (1, 2)),
    26: ("I32", (1, 4)), 27: ("I64", (1, 8)), 28: ("F64", (1, 8)), 29: ("IQ1_M", (256, 56)), 30: ("BF16", (1, 2)),
    31: ("Q4_0_4_4", (32, 18)), 32: ("Q4_0_4_8", (32, 18)), 33: ("Q4_0_8_8", (32, 18)),
    34: ("TQ1_0", (256, 54)), 35: ("TQ2_0", (256, 66)), 39: ("MXFP4", (32, 17)), 40: ("NVFP4", (64, 36)),
    41: ("Q1_0", (128, 18)),
    // ggml stores 64 elements in 18 bytes, the fork that wrote the first such files 128 in 34.
    42: ("Q2_0", nil),
  ]
}
