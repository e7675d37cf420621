/// The type of a metadata value, with the number that stands for it in a file.
public enum GGUFValueType: UInt32, Sendable, CaseIterable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// The name that the format's own tools print: `UINT32`.
  public var name: String { "\(self)".uppercased() }

  /// Bytes of one value, or `nil` for strings and arrays.
  public var fixedWidth: UInt64? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// Bytes that a value takes at least: a string has a length, an array an element type and a count.
  var minimumWidth: UInt64 { fixedWidth ?? (self == .string ? 8 : 12) }
}

/// An array of a file's metadata, described by its place; its elements stay in the file.
public struct GGUFArray: Sendable, Hashable {
  public let elementType: GGUFValueType
  public let count: UInt64
  /// Where the elements stand in the file, without the element type and the count before them.
  public let elements: Range<UInt64>
}

/// A metadata value of exactly the type it has in the file.
public enum GGUFValue: Sendable, Equatable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)
  case uint64(UInt64)
  case int64(Int64)
  case float64(Double)

  /// A number or bool of its type's bits, which stand in the lowest of `bits`.
  init(_ type: GGUFValueType, bits: UInt64) {
    self =
      switch type {
      case .uint8: .uint8(UInt8(truncatingIfNeeded: bits))
      case .int8: .int8(Int8(truncatingIfNeeded: bits))
      case .uint16: .uint16(UInt16(truncatingIfNeeded: bits))
      case .int16: .int16(Int16(truncatingIfNeeded: bits))
      case .uint32: .uint32(UInt32(truncatingIfNeeded: bits))
      case .int32: .int32(Int32(truncatingIfNeeded: bits))
      case .float32: .float32(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
      case .bool: .bool(bits != 0)
      case .int64: .int64(Int64(truncatingIfNeeded: bits))
      case .float64: .float64(Double(bitPattern: bits))
      case .uint64, .string, .array: .uint64(bits)
      }
  }

  public var type: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    case .array: .array
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    }
  }

  /// The value of any integer type, or `nil` for other types and for what does not fit `Int`.
  public var integerValue: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(value)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// The value of any number type, or `nil` for other types.
  ///
  /// Exact, but for integers beyond 2⁵³, which are rounded.
  public var doubleValue: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    case .uint64(let value): Double(value)
    default: integerValue.map(Double.init)
    }
  }

  /// The text of a string, or `nil` for other types.
  public var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }
}
