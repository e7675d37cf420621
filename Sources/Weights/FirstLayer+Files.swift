import Attention
import Bytes
import Diagnostics
import GGUF
import ModelConfig
import Safetensors

extension FirstLayer {
  /// Finds the first layer in a GGUF or a split set.
  ///
  /// - Parameter shards: The headers, the first one with the metadata, and where to read their tensors.
  /// - Throws: `weights-family` for an architecture that is not known to be computed rightly here, `weights-missing`,
  ///   `weights-shape`, `weights-encoding`, `weights-setting` and what the settings' reader throws. Only vectors are
  ///   read.
  package init(_ shards: [(file: GGUFFile, source: any ByteSource)]) throws(FileError) {
    guard let first = shards.first?.file else { preconditionFailure("a model has at least one file") }
    let settings = try first.attentionSettings()
    try self.init(
      StoredTensors(shards, path: first.path), .gguf, settings, AttentionFamily.gguf[settings.family.value])
  }

  /// Finds the first layer in safetensors files.
  ///
  /// - Parameters:
  ///   - config: The model's config.json.
  ///   - shards: The headers, and where to read their tensors.
  /// - Throws: As for a GGUF.
  package init(
    _ config: HuggingFaceConfig, _ shards: [(file: SafetensorsFile, source: any ByteSource)]
  ) throws(FileError) {
    let settings = try config.attentionSettings()
    let tensors = StoredTensors(shards, path: config.document.path)
    guard let names = TensorNames.huggingFace(among: tensors.names) else {
      throw tensors.missing("model.embed_tokens.weight")
    }
    try self.init(tensors, names, settings, AttentionFamily.huggingFace[settings.family.value])
  }

  private init(
    _ tensors: StoredTensors, _ names: TensorNames, _ settings: AttentionSettings, _ family: AttentionFamily?
  ) throws(FileError) {
    guard let family else {
      throw FileError(
        .weightsFamily, at: settings.family.place,
        found: "how \(settings.family.value) forms queries and keys is not known here",
        expected: "one of the families that are", remedy: "use the other checks, which need no weights")
    }
    guard let epsilon = settings.normEpsilon else {
      throw FileError(
        .weightsSetting, at: settings.family.place, found: "the epsilon of the norms is not stated",
        expected: "a number above 0", remedy: "take the settings from the model's original files")
    }
    var builder = LayerBuilder(
      tensors: tensors, names: names, settings: settings, family: family, epsilon: epsilon.value)
    self = try builder.layer()
  }
}
