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
  private let lists: [List]
  /// The user's file, `nil` for the published models alone.
  public let path: String?

  init(_ list: [KnownModel], before others: KnownModels? = nil, path: String? = nil) {
    lists = [List(list)] + (others?.lists ?? [])
    self.path = path
  }

  private struct List {
    var models: [KnownModel]
    /// Places in ``models`` by family.
    var families: [String: [Int]] = [:]

    init(_ models: [KnownModel]) {
      self.models = models
      for (index, model) in models.enumerated() {
        for family in model.families { families[family, default: []].append(index) }
      }
    }
  }

  /// The models of `known-models.json`.
  public static let published: KnownModels = {
    do {
      return KnownModels(try KnownModel.list(PackageResources.known_models_json, path: "known-models.json"))
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  /// Those of a family, whatever a file states.
  package func models(of family: String) -> [KnownModel] {
    lists.flatMap { list in (list.families[family] ?? []).map { list.models[$0] } }
  }

  package var all: [KnownModel] { lists.flatMap(\.models) }

  /// These models, after the ones in a file's `list`.
  func preceded(by list: [KnownModel], path: String) -> KnownModels { KnownModels(list, before: self, path: path) }

  /// The model that a file is about, as far as the file tells.
  ///
  /// Nothing that the file states may differ from an entry. Something may be missing, as long as the base or the shape
  /// agrees and only one entry is left.
  ///
  /// - Parameter family: `model_type` or GGUF architecture.
  package func model(family: String?, stating traits: ModelTraits) -> KnownModel? {
    guard let family else { return nil }
    for list in lists {
      let relatives = (list.families[family] ?? []).compactMap { index in
        list.models[index].likeness(traits).map { (index, $0) }
      }
      if let exact = relatives.first(where: { $0.1 == .exact }) { return list.models[exact.0] }
      let possible = relatives.filter { $0.1 == .possible }
      if possible.count == 1 { return list.models[possible[0].0] }
      // A model that was scaled later states another window, and its original length.
      if possible.isEmpty, relatives.count == 1 { return list.models[relatives[0].0] }
    }
    return nil
  }
}

/// What a file states that tells its model from others of the family.
package struct ModelTraits: Sendable {
  package var base: Double?
  /// See ``RoPEDeclaration/scalingKind``.
  package var scalingKind: String?
  package var window: Int?
  package var originalContext: Int?
  package var shape: ModelShape?

  package init(_ declaration: RoPEDeclaration, shape: ModelShape?) {
    base = declaration.base?.value
    scalingKind = declaration.scalingKind
    window = declaration.contextLength?.value
    originalContext = declaration.originalContext?.value
    self.shape = shape
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
  fileprivate func likeness(_ traits: ModelTraits) -> Likeness? {
    if let base, let stated = traits.base, abs(stated - base) > base * 1e-6 { return nil }
    if let shape = traits.shape, !shapes.isEmpty, !shapes.contains(shape) { return nil }
    // What people add to a model is YaRN or dynamic scaling; any other kind is part of the weights.
    if let kind = traits.scalingKind, kind != trainedScaling?.kind,
      trainedScaling != nil || !["yarn", "dynamic"].contains(kind)
    {
      return nil
    }
    let window = traits.window
    if let original = traits.originalContext, original != window {
      guard original == trainedLength else { return nil }
      // Of a scaled file the window is the publisher's only where the scaling is.
      guard trainedScaling != nil, window == self.window else { return traits.scalingKind == nil ? nil : .scaled }
    } else if let window, window != self.window {
      return nil
    }
    let agreesInBase = base != nil && traits.base != nil
    let agreesInShape = !shapes.isEmpty && traits.shape != nil
    if window != nil, base == nil || agreesInBase, shapes.isEmpty || agreesInShape { return .exact }
    return agreesInBase || agreesInShape ? .possible : nil
  }
}
