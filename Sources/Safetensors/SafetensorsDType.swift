/// Element types of the format and their widths in bits, as in the reference library's 0.8 (`Dtype::bitsize`).
enum SafetensorsDType {
  static func bits(_ name: String) -> UInt64? {
    switch name {
    case "F4": 4
    case "F6_E2M3", "F6_E3M2": 6
    case "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ": 8
    case "I16", "U16", "F16", "BF16": 16
    case "I32", "U32", "F32": 32
    case "I64", "U64", "F64", "C64": 64
    default: nil
    }
  }
}
