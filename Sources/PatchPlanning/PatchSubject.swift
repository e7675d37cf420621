import Diagnostics
import ModelConfig

/// One file's declaration for the layers that are patched, with what the planner must know about the file.
package struct PatchSubject: Sendable {
  package var declaration: RoPEDeclaration
  /// `model_type` or GGUF architecture.
  package var family: String?
  package var shape: ModelShape?
  package var path: String

  package init(declaration: RoPEDeclaration, family: String?, shape: ModelShape?, path: String) {
    self.declaration = declaration
    self.family = family
    self.shape = shape
    self.path = path
  }

  /// What is published about the model. A base that the file leaves out is the one that the user names.
  package func known(_ request: PatchRequest) -> KnownModel? {
    var traits = ModelTraits(declaration, shape: shape)
    traits.base = traits.base ?? request.base
    return request.knownModels.model(family: family, stating: traits)
  }

  /// Weights trained with a scaling other than YaRN do not take YaRN, nor another factor, whatever the file says.
  ///
  /// - Throws: `trained-scaling`.
  func checkKnownScaling(_ request: PatchRequest) throws(FileError) {
    guard let known = known(request), let trained = known.trainedScaling, trained.kind != "yarn",
      !request.allowed.contains("YP504")
    else { return }
    throw FileError(
      .trainedScaling, at: declaration.kind?.place ?? declaration.factor?.place ?? SourceLocation(path: path),
      found: "the weights of \(known.name) were trained with \(trained.phrase) (\(known.source))",
      expected: "a model trained without scaling, or with yarn",
      remedy: replacingTrained(trained.kind))
  }

  /// What a user should know of the published facts about the model although it does not stop the patch.
  package func notes(_ request: PatchRequest, _ settings: RoPESettings) -> [String] {
    // It stays possible: who compares scores with and without a scaling begins with one that changes nothing.
    var notes =
      settings.factor == 1 && ![.none, .ntk].contains(settings.method)
      ? ["factor 1 changes no frequency; --method none states no scaling"] : []
    guard let known = known(request) else { return notes }
    if request.originalContext == nil, declaration.originalContext == nil, let window = declaration.contextLength,
      settings.originalContext != window.value
    {
      let reason = known.note ?? "as published for \(known.name)"
      notes.append(
        "original length \(known.trainedLength), not the stated \(window.value): \(reason) (\(known.source))")
    }
    if let trained = known.trainedScaling, trained.kind == "yarn" {
      if settings.method != .yarn || settings.factor != trained.factor {
        notes.append(
          "the weights of \(known.name) were trained with \(trained.phrase), which this replaces (\(known.source))")
      }
    } else if let tested = known.testedFactor, settings.method.writesYaRN, settings.factor > tested {
      notes.append(
        "beyond ×\(plain(tested)), the largest factor that the publisher of \(known.name) states (\(known.source))")
    }
    return notes
  }
}

/// The way on for weights that know another table than the one asked for.
func replacingTrained(_ kind: String) -> String {
  """
  leave it as it is: the weights know no other frequencies; patch --allow YP504 puts the new scaling in the place of \
  \(kind) all the same
  """
}

extension KnownModel.TrainedScaling {
  /// `yarn scaling ×32`.
  fileprivate var phrase: String { "\(kind) scaling" + (factor.map { " ×\(plain($0))" } ?? "") }
}

/// A factor without the fraction it does not have.
private func plain(_ factor: Double) -> String { Int(exactly: factor).map(String.init) ?? "\(factor)" }
