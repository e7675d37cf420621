import Diagnostics

extension FileError.Code {
  /// The first bytes are none of a GGUF file's, nor of any format we know by name.
  package static let notGGUF: Self = "not-gguf"
  /// A format that came before GGUF, or a GGUF file written before the magic was settled.
  package static let ggufOldFormat: Self = "gguf-old-format"
  /// GGUF, but a version other than 2 and 3.
  package static let ggufVersion: Self = "gguf-version"
  /// A count that the rest of the file cannot hold, or that no header needs.
  package static let ggufCount: Self = "gguf-count"
  /// A key or tensor name that is empty or too long.
  package static let ggufName: Self = "gguf-name"
  /// A key, string or tensor name that is not UTF-8.
  package static let ggufEncoding: Self = "gguf-encoding"
  /// Text beyond ``GGUFLimit/text``.
  package static let ggufTextLength: Self = "gguf-text-length"
  /// The same key twice.
  package static let ggufDuplicateKey: Self = "gguf-duplicate-key"
  /// The same tensor name twice.
  package static let ggufDuplicateTensor: Self = "gguf-duplicate-tensor"
  /// A metadata value type that the format does not have, or one that does not fit the place.
  package static let ggufValueType: Self = "gguf-value-type"
  /// A bool that is neither 0 nor 1.
  package static let ggufBool: Self = "gguf-bool"
  /// Arrays in arrays beyond ``GGUFLimit/nesting``.
  package static let ggufNesting: Self = "gguf-nesting"
  /// `general.alignment` is not a power of two that we accept.
  package static let ggufAlignment: Self = "gguf-alignment"
  /// Too many dimensions, a zero, a size beyond 63 bits or rows that are not whole blocks.
  package static let ggufDimensions: Self = "gguf-dimensions"
  /// A tensor's offset is not a multiple of the alignment.
  package static let ggufTensorOffset: Self = "gguf-tensor-offset"
  /// Two tensors share bytes.
  package static let ggufTensorOverlap: Self = "gguf-tensor-overlap"
  /// A tensor whose values are not plain floating-point numbers, or too many to read.
  package static let ggufTensorValues: Self = "gguf-tensor-values"
  /// Files of a split set do not say what they should of themselves or of the set.
  package static let splitMismatch: Self = "split-mismatch"
  /// A change of the metadata that cannot be planned.
  package static let ggufEdit: Self = "gguf-edit"
}

/// What we read at most, each with its reason.
enum GGUFLimit {
  /// Bytes of all keys, string values and tensor names together. Real headers hold well under one megabyte of these (a
  /// tokenizer's strings are array elements and stay in the file); the cap keeps memory from following a sparse file.
  static let text: UInt64 = 8 << 20
  /// Bytes of one key or tensor name: the format's own limit for keys.
  static let name: UInt64 = 65_535
  /// Arrays in arrays. ggml reads none, the deepest we have seen is 2; the walk recurses once per level.
  static let nesting = 8
  /// Strings and arrays in arrays of the whole header, which are walked one by one. The largest tokenizers have about a
  /// million; the cap keeps time from following a sparse file.
  static let walked: UInt64 = 1 << 24
  /// Metadata entries, and tensor infos. Real files have a few thousand; what is kept of each entry and the table that
  /// finds repeated names, which two thirds of 2¹⁹ places bound, then stay within megabytes.
  static let entries: UInt64 = (1 << 20) / 3
  /// ggml's GGML_MAX_DIMS.
  static let dimensions: UInt32 = 4
  /// `general.alignment`. Writers use 32, and no file above 4096 is known. An edit may have to write this much padding
  /// before every tensor that it adds, and `undo` to look at it, so time and memory follow the alignment.
  static let alignment: UInt32 = 1 << 20
  /// Files of a split set: llama.cpp keeps their numbers in 16 bits.
  static let shards = Int(UInt16.max)
  /// Elements of a tensor read as numbers: a frequency factor tensor holds one per rotary pair, a few hundred.
  static let floatValues: UInt64 = 1 << 20
}

/// Remedies that several refusals share.
enum GGUFRemedy {
  static let download = "download or copy the file again"
  static let convert = "convert the model again with a current converter"
}

extension FileError {
  /// The same error, with the key or tensor name it concerns.
  func about(_ name: String) -> FileError {
    var error = self
    error.location.key = name
    return error
  }
}
