import Diagnostics

extension FileError.Code {
  /// The first eight bytes announce a header longer than the format allows.
  package static let safetensorsHeaderLength: Self = "safetensors-header-length"
  /// More tensors than ``SafetensorsFile/maximumTensorCount``.
  package static let safetensorsTensorCount: Self = "safetensors-tensor-count"
  /// A field of a tensor's entry is missing, occurs twice or is not of the right form.
  package static let safetensorsEntry: Self = "safetensors-entry"
  /// An element type that the format does not have.
  package static let safetensorsDType: Self = "safetensors-dtype"
  /// A name occurs twice.
  package static let safetensorsDuplicateName: Self = "safetensors-duplicate-name"
  /// Shape and element type do not give the number of bytes that the offsets span.
  package static let safetensorsTensorSize: Self = "safetensors-tensor-size"
  /// The tensors leave a hole between them, overlap, or end before they begin.
  package static let safetensorsOffsets: Self = "safetensors-offsets"
  /// The file goes on after the last tensor.
  package static let safetensorsNotCovered: Self = "safetensors-not-covered"
  /// `__metadata__` is not an object of strings.
  package static let safetensorsMetadata: Self = "safetensors-metadata"
  /// The values of a tensor cannot be read as numbers here.
  package static let safetensorsValues: Self = "safetensors-values"

  /// A shard index without a usable `weight_map`.
  package static let safetensorsIndex: Self = "safetensors-index"
  /// A shard index names a file outside its own folder.
  package static let safetensorsShardName: Self = "safetensors-shard-name"
}
