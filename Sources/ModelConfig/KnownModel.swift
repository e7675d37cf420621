/// What is published about the lengths of one model, where its files do not say it.
///
/// - Source: `known-models.json`, which names the model card or paper of each entry.
public struct KnownModel: Sendable, Equatable {
  /// A scaling that the weights were trained with.
  public struct TrainedScaling: Sendable, Equatable {
    /// The scaling kind as config.json spells it: `yarn`, `llama3`, `longrope`, `linear`.
    public var kind: String
    /// `nil` where the kind has a list of divisors in place of one factor.
    public var factor: Double?
  }

  public var name: String
  /// `model_type`s of config.json and architectures of GGUF.
  public var families: Set<String>
  /// The window that the published files state, in tokens.
  public var window: Int
  /// The RoPE base that the published files state; `nil` where it is not needed to tell the model from others.
  public var base: Double?
  /// The sizes the model comes in; empty where they are not needed to tell it from others.
  public var shapes: [ModelShape]
  /// The length that a scaling starts from, in tokens: what the weights were trained on before any scaling.
  public var trainedLength: Int
  public var trainedScaling: TrainedScaling?
  /// The largest YaRN factor that the publisher states for the model.
  public var testedFactor: Double?
  /// Why the stated window is not the trained length.
  public var note: String?
  /// The model card or paper that says so.
  public var source: String
}

/// Width and depth of a model, which tell the models of one family apart.
public struct ModelShape: Sendable, Hashable {
  /// Elements of a hidden state.
  public var width: Int
  public var layers: Int

  public init(width: Int, layers: Int) {
    self.width = width
    self.layers = layers
  }
}

/// Models by what their files state, those that are named first before the others.
public struct KnownModels: Sendable {
  /// The models of a user's file, then the published ones.
  private let lists: [[KnownModel]]
  /// The user's file, `nil` for the published models alone.
  public let path: String?

  init(_ lists: [[KnownModel]], path: String? = nil) {
    self.lists = lists
    self.path = path
  }

  /// The models of `known-models.json`.
  public static let published: KnownModels = {
    do {
      return KnownModels([try KnownModel.list(PackageResources.known_models_json, path: "known-models.json")])
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  package var all: [KnownModel] { lists.flatMap(\.self) }

  /// These models, after the ones in a file's `list`.
  func preceded(by list: [KnownModel], path: String) -> KnownModels { KnownModels([list] + lists, path: path) }

  /// The model that a file is about, as far as the file tells.
  ///
  /// Nothing that the file states may differ from an entry. Something may be missing, as long as the base or the shape
  /// agrees and only one entry is left.
  ///
  /// - Parameters:
  ///   - family: `model_type` or GGUF architecture.
  ///   - shape: `nil` when the file does not state it.
  package func model(family: String?, _ declaration: RoPEDeclaration, shape: ModelShape?) -> KnownModel? {
    guard let family else { return nil }
    for list in lists {
      let relatives = list.filter { $0.families.contains(family) }.compactMap { model in
        model.likeness(declaration, shape).map { (model, $0) }
      }
      if let exact = relatives.first(where: { $0.1 == .exact }) { return exact.0 }
      let possible = relatives.filter { $0.1 == .possible }
      if possible.count == 1 { return possible[0].0 }
      // A model that was scaled later states another window, and its original length.
      if possible.isEmpty, relatives.count == 1 { return relatives[0].0 }
    }
    return nil
  }
}

extension KnownModel {
  /// How far a file's statements agree with the published ones.
  fileprivate enum Likeness {
    /// Alike in everything that identifies the model.
    case exact
    /// Something that identifies the model is not stated.
    case possible
    /// The original length is the trained one, the window another.
    case scaled
  }

  /// `nil` when a statement contradicts the published one.
  fileprivate func likeness(_ declaration: RoPEDeclaration, _ shape: ModelShape?) -> Likeness? {
    if let base, let stated = declaration.base?.value, abs(stated - base) > base * 1e-6 { return nil }
    if let shape, !shapes.isEmpty, !shapes.contains(shape) { return nil }
    // What people add to a model is YaRN or dynamic scaling; any other kind is part of the weights.
    if let kind = declaration.scalingKind, kind != trainedScaling?.kind,
      trainedScaling != nil || !["yarn", "dynamic"].contains(kind)
    {
      return nil
    }
    let window = declaration.contextLength?.value
    if let original = declaration.originalContext?.value, original != window {
      guard original == trainedLength else { return nil }
      // Of a scaled file the window is the publisher's only where the scaling is.
      guard trainedScaling != nil, window == self.window else { return declaration.scalingKind == nil ? nil : .scaled }
    } else if let window, window != self.window {
      return nil
    }
    let agreesInBase = base != nil && declaration.base != nil
    let agreesInShape = !shapes.isEmpty && shape != nil
    if window != nil, base == nil || agreesInBase, shapes.isEmpty || agreesInShape { return .exact }
    return agreesInBase || agreesInShape ? .possible : nil
  }
}

extension HuggingFaceConfig {
  /// Width and depth of the language model, when both are stated.
  package var shape: ModelShape? {
    func integer(_ keys: [String]) -> Int? { keys.lazy.compactMap { self.node($0)?.node.value.number?.integer }.first }
    guard let width = integer(ConfigKey.widths), let layers = integer(ConfigKey.depths) else { return nil }
    return ModelShape(width: width, layers: layers)
  }
}
