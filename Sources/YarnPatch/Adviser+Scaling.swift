import Diagnostics
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

// What a scaling takes and costs.

extension Adviser {
  func scaled(_ draft: Advice, _ planned: PreparedPatch) -> Advice {
    var advice = draft
    let settings = planned.plan.settings
    advice.settings = settings
    advice.originalContext = settings.originalContext
    advice.arguments = ["yarn-patch", "patch", model.path]
    advice.arguments += settings.method == .none ? ["--method", "none"] : ["--context", "\(context)"]
    if let length = request.originalContext { advice.arguments += ["--original-context", "\(length)"] }
    if let base = request.base { advice.arguments += ["--base", "\(base)"] }
    if let magnitude = request.attentionFactor { advice.arguments += ["--attention-factor", "\(magnitude)"] }
    advice.arguments += (planned.request.runtimes ?? []).flatMap { ["--runtime", $0.name] }
    advice.notes += evidence(settings)
    guard settings.factor > 1 else {
      return complete(advice, planned, lengths: [settings.originalContext, context])
    }
    let trained = trained(settings)
    advice.shortPrompts = trained.table.flatMap {
      ShortPromptCost(
        settings.reading(over: declaration), trained: $0, headDimension: declaration.headDimension?.value,
        length: trained.length)
    }
    if subject.known(request)?.trainedScaling == nil { advice.dynamic = dynamic(settings) }
    return complete(advice, planned, lengths: Advice.stages(from: trained.length, to: settings.window))
  }

  /// What the weights know: the unscaled table up to the original length, or the scaling that they were trained with.
  func trained(_ settings: RoPESettings) -> (table: FrequencyTable?, length: Int) {
    if subject.known(request)?.trainedScaling != nil, let window = declaration.contextLength?.value {
      return (Formula.read(declaration).table, window)
    }
    let plain = settings.reading(over: declaration).parameters.map { FrequencyTable($0.unscaled) }
    return (plain, settings.originalContext)
  }

  /// What is known of the factor beside what the planner notes.
  private func evidence(_ settings: RoPESettings) -> [String] {
    let known = subject.known(request)
    guard settings.factor > 1 else { return [] }
    if let tested = known?.testedFactor, settings.factor <= tested, let known {
      let largest = Int(exactly: tested).map(String.init) ?? "\(tested)"
      return ["within ×\(largest), which the publisher of \(known.name) states (\(known.source))"]
    }
    guard known?.testedFactor == nil, known?.trainedScaling == nil else { return [] }
    return ["no published factor is known for this model" + (settings.factor > 8 ? "; above 8, train along" : "")]
  }

  /// The same reach by a table that follows the length.
  private func dynamic(_ settings: RoPESettings) -> DynamicScaling {
    var declared = RoPEDeclaration()
    let place = SourceLocation(path: model.path)
    declared.base = Declared(settings.base, at: place)
    declared.rotaryDimension = Declared(settings.rotaryDimension, at: place)
    declared.kind = Declared("dynamic", at: place)
    declared.factor = Declared(settings.factor, at: place)
    declared.contextLength = Declared(settings.originalContext, at: place)
    var result = DynamicScaling(runtimes: [])
    result.cachedKeys = CachedKeys(Formula.read(declared), declared)
    do throws(FileError) {
      var dynamic = request
      (dynamic.method, dynamic.attentionFactor) = (.dynamic, nil)
      // No GGUF can say it, and none needs to: its reader has no such scaling.
      let config = model.files.first { $0.config != nil }?.path
      result.runtimes = try agreed(dynamic, of: config).plan.runtimes.map(\.name)
    } catch {
      result.refusal = error
    }
    return result
  }
}
