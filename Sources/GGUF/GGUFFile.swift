import Bytes

/// One entry of a GGUF file's metadata, with its place.
public struct GGUFKeyValue: Sendable, Equatable {
  public let key: String
  public let value: GGUFValue
  /// The whole entry in the file: key length, key, value type, value.
  public let entry: Range<UInt64>
  /// The value alone, from the first byte after its type; of a string or an array that includes the length.
  public let valueRange: Range<UInt64>
}

/// What a GGUF file says about one tensor.
public struct GGUFTensorInfo: Sendable, Equatable {
  public let name: String
  /// Sizes, fastest-varying first; none for a single number.
  public let dimensions: [UInt64]
  public let type: GGUFTensorType
  /// First byte of the data, counted from the start of the data section.
  public let offset: UInt64
  /// Product of the dimensions.
  public let elementCount: UInt64
  /// Bytes of the data without padding, or `nil` when the type's block is unknown.
  public let byteCount: UInt64?
  /// The whole info in the file's header.
  public let infoRange: Range<UInt64>
}

extension GGUFTensorInfo {
  /// Elements and bytes of a tensor, or `nil` when no tensor has these dimensions.
  static func size(_ dimensions: [UInt64], _ type: GGUFTensorType) -> (elements: UInt64, bytes: UInt64?)? {
    var elements: UInt64 = 1
    for dimension in dimensions {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard product > 0, !overflow, product < UInt64(Int64.max) else { return nil }
      elements = product
    }
    guard let block = type.blockSize, let width = type.bytesPerBlock else { return (elements, nil) }
    let (bytes, overflow) = (elements / block).multipliedReportingOverflow(by: width)
    guard (dimensions.first ?? 1).isMultiple(of: block), !overflow else { return nil }
    return (elements, bytes)
  }
}

/// What a file of a split set says about the set, from the `split.` keys.
public struct GGUFSplit: Sendable, Equatable {
  /// Number of this file, from 0. Names count from 1.
  public let no: Int
  /// Number of files.
  public let count: Int
  /// Tensors of all files together, or `nil` when not said.
  public let tensorsCount: Int?
}

/// The header of a GGUF file: everything but the tensors' data.
///
/// ```
///   0  "GGUF"   4  version   8  tensor count (8 bytes)   16  metadata count (8 bytes)
///  24  metadata: key, value type (4), value …            a string is a length (8) and UTF-8
///      tensor infos: name, dimension count (4), dimensions (8 each), type (4), offset (8)
///      headerEnd, padding up to a multiple of the alignment
///      dataOffset, tensor data
/// ```
///
/// Verdicts beyond the format's text: trailing bytes and gaps between tensors are accepted and kept; so are tensor
/// types we do not know, whose size is then unknown. Arrays are hopped over: their elements are checked when they are
/// asked for.
public struct GGUFFile: Sendable {
  /// The file as it was named to us.
  public let path: String
  public let fileSize: UInt64
  /// 2 or 3; the two have the same layout.
  public let version: UInt32
  public let byteOrder: ByteOrder
  /// `general.alignment`, or 32.
  public let alignment: UInt64
  /// In the file's order.
  public internal(set) var metadata: GGUFMetadata
  /// In the file's order.
  public let tensors: GGUFTensors
  /// First byte after the last tensor info, or after the metadata when there is none.
  public let headerEnd: UInt64
  /// ``headerEnd`` rounded up to the alignment. Beyond ``fileSize`` when a file without tensors has no padding.
  public let dataOffset: UInt64

  /// Where the number of tensors stands.
  static let tensorCountOffset: UInt64 = 8
  /// Where the metadata begins.
  static let metadataStart: UInt64 = 24
  /// The key of ``alignment``, which readers look for before they find the data.
  static let alignmentKey = "general.alignment"
  /// The key of a text of spaces that takes up the rest of the blocks which a patch inserted, see
  /// `filler(setting:removing:growingBy:in:)`. Readers pass over keys they do not know.
  package static let fillerKey = "yarn_patch.padding"
  /// The keys of ``GGUFSplit/no`` and ``GGUFSplit/count``.
  static let splitNumberKey = "split.no", splitCountKey = "split.count"
  /// The key of the number of tensors in all files of a set.
  static let splitTensorsKey = "split.tensors.count"

  /// The entry of a key; keys are compared byte by byte.
  public func entry(_ key: String) -> GGUFKeyValue? {
    metadata.firstIndex(ofKey: key).map { metadata[$0] }
  }

  public subscript(key: String) -> GGUFValue? { entry(key)?.value }

  /// The header as if a key had another value, or none: a question to a reader, not an edit. Places stay the file's.
  package func imagining(_ key: String, _ value: GGUFValue?) -> GGUFFile {
    var other = self
    other.metadata.imagine(key, value)
    return other
  }

  /// `general.architecture`, the prefix of the model's own keys; absent in all but the first file of a split set.
  public var architecture: String? { self["general.architecture"]?.stringValue }

  /// The split set this file says it belongs to.
  public var split: GGUFSplit? {
    guard let no = self[Self.splitNumberKey]?.integerValue, let count = self[Self.splitCountKey]?.integerValue
    else { return nil }
    return GGUFSplit(no: no, count: count, tensorsCount: self[Self.splitTensorsKey]?.integerValue)
  }
}
