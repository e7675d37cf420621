import Diagnostics
import GGUF
import LosslessJSON
import ModelConfig
import Runtimes
import Safetensors

/// A model's files as rules look at them: each read as far as it could be, and why the others could not.
///
/// Readings of runtimes are computed when a rule asks first. Belongs to one thread.
package final class LintedModel {
  package let path: String
  /// config.json, when there is one and it is JSON; also one of an unusual name that was named alone.
  package let configs: [LintedConfig]
  /// A config.json that is JSON and cannot be read for its settings, such as one that states a member twice.
  package let unusable: [JSONDocument]
  /// One for each GGUF or split set.
  package let ggufs: [LintedGGUF]
  /// Other JSON files beside config.json by name: tokenizer_config.json, generation_config.json, params.json, …
  package let siblings: [String: JSONDocument]
  package let weights: [SafetensorsFile]
  package let index: SafetensorsIndex?
  /// Names of the files in the model's folder, where an index of weights tells which there should be.
  package let names: Set<String>
  package let storedTables: [StoredTable]
  package let storedCaches: [StoredCache]
  /// Why a file could not be read.
  package let refusals: [FileError]
  /// Texts of JSON files that do not parse, by path.
  package let unreadTexts: [String: [UInt8]]
  package let deployment: Deployment
  package let knownModels: KnownModels
  fileprivate var knownCache: [ObjectIdentifier: KnownModel?] = [:]
  /// Shared by the models of one lint.
  let distances: DistanceMemo
  /// config.json as it was before the last patch, when the record for undoing it is there.
  package var previous: JSONDocument?
  /// What this model is a quantised, merged or fine-tuned copy of.
  package var base: LintedModel?
  /// The model that this one drafts for.
  package var target: LintedModel?

  package init(
    path: String, configs: [LintedConfig] = [], unusable: [JSONDocument] = [], ggufs: [LintedGGUF] = [],
    siblings: [String: JSONDocument] = [:],
    weights: [SafetensorsFile] = [], index: SafetensorsIndex? = nil, names: Set<String> = [],
    storedTables: [StoredTable] = [], storedCaches: [StoredCache] = [], refusals: [FileError] = [],
    unreadTexts: [String: [UInt8]] = [:],
    deployment: Deployment = Deployment(),
    knownModels: KnownModels = .published, distances: DistanceMemo = DistanceMemo()
  ) {
    self.path = path
    self.configs = configs
    self.unusable = unusable
    self.ggufs = ggufs
    self.siblings = siblings
    self.weights = weights
    self.index = index
    self.names = names
    self.storedTables = storedTables
    self.storedCaches = storedCaches
    self.refusals = refusals
    self.unreadTexts = unreadTexts
    self.deployment = deployment
    self.knownModels = knownModels
    self.distances = distances
  }

  /// Files beside config.json that some rule looks at.
  package static let siblingNames = [
    "adapter_config.json", "args.json", "generation_config.json", "params.json", "tokenizer_config.json",
    "training_args.json",
  ]

  /// config.json's or the GGUF's declaration for the layers that see the whole window.
  package var declaration: RoPEDeclaration? {
    configs.lazy.compactMap(\.declarations.first).first ?? ggufs.lazy.compactMap(\.declaration).first
  }

  /// The text of a path, whether it parses or not.
  package func text(at path: String) -> [UInt8]? { document(at: path)?.bytes ?? unreadTexts[path] }

  /// The document of a path, for places in texts.
  package func document(at path: String) -> JSONDocument? {
    (configs.map(\.document) + unusable).first { $0.path == path } ?? siblings.values.first { $0.path == path }
  }
}

/// What rules ask of any file that declares RoPE settings.
package protocol LintedFile: AnyObject {
  var path: String { get }
  /// One for each kind of layer, full attention first.
  var declarations: [RoPEDeclaration] { get }
  /// Values that no equation can use.
  var problems: [FileError] { get }
  /// `model_type` or GGUF architecture.
  var family: String? { get }
  var shape: ModelShape? { get }
  /// What it states that tells its model from others.
  var traits: ModelTraits? { get }
  var input: RuntimeInput { get }
  /// Readings so far, by runtime name.
  var cache: [String: [RuntimeReading]] { get set }
}

extension LintedFile {
  /// What a runtime makes of the file, one reading for each kind of layer.
  package func readings(of runtime: Runtime) -> [RuntimeReading] {
    if let readings = cache[runtime.name] { return readings }
    var options = RuntimeOptions()
    options.offersStart = false
    // The equations take the declarations, which were read once.
    let readings =
      runtime.name == Formula.name && problems.isEmpty
      ? declarations.map { Formula.read($0) } : runtime.read(input, options)
    cache[runtime.name] = readings
    return readings
  }

  /// The readings of those among some runtimes that read this kind of file, first for each the layers that see the whole
  /// window.
  package func readings(of runtimes: [Runtime]) -> [RuntimeReading] {
    runtimes.filter { $0.formats.contains(input.format) }.flatMap { readings(of: $0) }
  }

  package var declaration: RoPEDeclaration? { declarations.first }
}

extension LintedModel {
  package var files: [any LintedFile] { configs + ggufs }

  /// What is published about the model that a file belongs to.
  package func known(_ file: some LintedFile) -> KnownModel? {
    if let known = knownCache[ObjectIdentifier(file)] { return known }
    let known = file.traits.flatMap { knownModels.model(family: file.family, stating: $0) }
    knownCache[ObjectIdentifier(file)] = .some(known)
    return known
  }
}

extension LintedModel {
  /// The model that a file would belong to if it stated this original length.
  package func known(_ file: some LintedFile, original: Int) -> KnownModel? {
    guard var traits = file.traits else { return nil }
    traits.originalContext = original
    return knownModels.model(family: file.family, stating: traits)
  }

  /// An error for each refusal of some kinds, once for each place.
  ///
  /// - Parameter consequence: What a runtime does with such a file, as a sentence.
  package func findings(of codes: Set<FileError.Code>, consequence: String, runtimes: [String]) -> [Finding] {
    var places: Set<SourceLocation> = []
    return refusals.filter { codes.contains($0.code) && places.insert($0.location).inserted }.map { refusal in
      let name = refusal.location.key ?? refusal.location.path.split(separator: "/").last.map(String.init) ?? ""
      return Finding(
        .error, at: refusal.location,
        "`\(name.prefix(80))`: \(refusal.found), expected \(refusal.expected). \(consequence) To do: \(refusal.remedy).",
        expected: refusal.expected, actual: refusal.found, runtimes: runtimes)
    }
  }
}

extension LintedFile {
  /// Whether two files are about language models, and nothing says that these differ.
  package func describes(sameModelAs other: any LintedFile) -> Bool {
    guard declaration?.contextLength != nil, other.declaration?.contextLength != nil else { return false }
    guard let mine = shape, let theirs = other.shape else { return true }
    return mine == theirs
  }
}
