import Diagnostics

extension FileError.Code {
  /// The first eight bytes announce a header longer than the format allows.
  package static let safetensorsHeaderLength: Self = "safetensorsHeaderLength"
  /// A field of a tensor's entry is missing, occurs twice or is not of the right form.
  package static let safetensorsEntry: Self = "safetensorsEntry"
  /// An element type that the format does not have.
  package static let safetensorsDType: Self = "safetensorsDType"
  /// A name occurs twice.
  package static let safetensorsDuplicateName: Self = "safetensorsDuplicateName"
  /// Shape and element type do not give the number of bytes that the offsets span.
  package static let safetensorsTensorSize: Self = "safetensorsTensorSize"
  /// The tensors leave a hole between them, overlap, or end before they begin.
  package static let safetensorsOffsets: Self = "safetensorsOffsets"
  /// The file goes on after the last tensor.
  package static let safetensorsNotCovered: Self = "safetensorsNotCovered"
  /// `__metadata__` is not an object of strings.
  package static let safetensorsMetadata: Self = "safetensorsMetadata"
  /// The values of a tensor cannot be read as numbers here.
  package static let safetensorsValues: Self = "safetensorsValues"

  /// A shard index without a usable `weight_map`.
  package static let safetensorsIndex: Self = "safetensorsIndex"
  /// A shard index names a file outside its own folder.
  package static let safetensorsShardName: Self = "safetensorsShardName"
}
