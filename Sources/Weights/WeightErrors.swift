import Diagnostics

extension FileError.Code {
  /// A family whose first layer is not known to be computed rightly here.
  package static let weightsFamily: Self = "weights-family"
  /// A tensor that the first layer needs is not in the files.
  package static let weightsMissing: Self = "weights-missing"
  /// An element type that is not decoded here.
  package static let weightsEncoding: Self = "weights-encoding"
  /// A tensor's shape does not fit the others or the settings.
  package static let weightsShape: Self = "weights-shape"
  /// An infinity or something that is not a number among the weights.
  package static let weightsNotFinite: Self = "weights-not-finite"
  /// A setting that the first layer needs is missing or unusable.
  package static let weightsSetting: Self = "weights-setting"
  /// A token outside the vocabulary, or more tokens than are held in memory.
  package static let weightsTokens: Self = "weights-tokens"
}
