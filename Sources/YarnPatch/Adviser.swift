import Agreement
import Diagnostics
import FileStore
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

/// What it takes for a model to serve a length. Writes nothing.
///
/// - Parameters:
///   - context: In tokens.
///   - originalContext: Trained length, where the files do not say it.
///   - base: RoPE base, where the files do not state it.
/// - Throws: What planning a patch throws, but for weights that take no scaling and for runtimes that do not agree:
///   those are answers.
public func advise(
  _ path: String, context: Int, originalContext: Int? = nil, base: Double? = nil
) throws(FileError) -> Advice {
  var request = PatchRequest(reach: .context(context))
  request.originalContext = originalContext
  request.base = base
  return try Adviser(path, request, context: context, in: POSIXFileSystem()).advice()
}

struct Adviser {
  let model: Model
  let subject: PatchSubject
  let context: Int
  var request: PatchRequest
  let forecast: Forecast
  let fileSystem: any FileSystem

  init(_ path: String, _ request: PatchRequest, context: Int, in fileSystem: any FileSystem) throws(FileError) {
    var loader = ModelLoader(fileSystem, replacesBase: request.base != nil)
    model = try loader.load(path)
    guard let subject = model.primary?.subject else {
      throw FileError(
        .notAModel, at: SourceLocation(path: path), found: "no file states a window",
        expected: "a config.json or a GGUF", remedy: "point at the model's folder or at one of those files")
    }
    (self.subject, self.context, self.fileSystem) = (subject, context, fileSystem)
    self.request = request
    forecast = Forecast(model, in: fileSystem)
  }

  var declaration: RoPEDeclaration { subject.declaration }
  var isScaled: Bool { declaration.scalingKind != nil || declaration.staticNTKFactor != nil }

  func advice() throws(FileError) -> Advice {
    let planned: PreparedPatch
    do throws(FileError) {
      planned = try agreed(request)
    } catch  where error.code == .customMagnitude && request.attentionFactor == nil {
      guard let magnitude = declaration.attentionFactor?.value else { throw error }
      return try advice(naming: magnitude, \.attentionFactor, because: "\(error.found): \(error.remedy)")
    } catch  where error.code == .baseMissing && request.base == nil {
      guard let known = subject.known(request), let base = known.base else { throw error }
      return try advice(naming: base, \.base, because: "\(error.found); it is that of \(known.name) (\(known.source))")
    } catch  where [.trainedScaling, .runtimesDisagree, .notExpressible].contains(error.code) {
      return withoutPatch(error)
    }
    let settings = planned.plan.settings
    if let reason = try reasonToKeep(planned) {
      var advice = draft(.keep, reason, notes: model.notes)
      let original = originalLength(settings)
      advice.originalContext = original
      return complete(advice, nil, lengths: [original, advice.window ?? context, context])
    }
    // Only a table of models can tell whether a scaling was trained; this one is in none.
    let isServed = isScaled && declaration.contextLength?.value ?? 0 >= context
    let unless = isServed ? "; keep the files if the weights were trained with the scaling that they state" : ""
    let side = settings.method == .none ? "within" : "beyond"
    let reason = "\(context) tokens are \(side) the original length of \(settings.originalContext)\(unless)"
    return scaled(draft(.patch, reason, notes: planned.plan.notes), planned)
  }

  /// The advice with a value named that the planner wants to be told.
  private func advice(
    naming value: Double, _ option: WritableKeyPath<PatchRequest, Double?>, because note: String
  ) throws(FileError) -> Advice {
    var naming = self
    naming.request[keyPath: option] = value
    var advice = try naming.advice()
    advice.notes.append(note)
    return advice
  }

  // MARK: verdicts

  /// Why the files are right as they are, `nil` when they are not.
  private func reasonToKeep(_ planned: PreparedPatch) throws(FileError) -> String? {
    let settings = planned.plan.settings
    let window = declaration.contextLength?.value ?? 0
    if let known = subject.known(request), let trained = known.trainedScaling, window >= context {
      return "the weights of \(known.name) were trained with the \(trained.kind) scaling that serves \(window) tokens"
    }
    if settings.factor == 1, !isScaled, window >= context {
      return "\(context) tokens are within the original length of \(originalLength(settings))"
    }
    let isStated = model.files.compactMap(\.declaration).allSatisfy { settings.differences(from: $0).isEmpty }
    let isRead = planned.plan.runtimes.allSatisfy { runtime in
      guard let file = forecast.file(for: runtime), let declaration = file.declaration else { return true }
      let wanted = settings.reading(over: declaration)
      return Self.patchedLayer(of: runtime.read(forecast.input(file))).map { wanted.effects(of: $0).isEmpty } ?? false
    }
    return isStated && isRead ? "the files already state the smallest sufficient scaling" : nil
  }

  /// Unscaled files keep headroom in their window, which was not trained.
  private func originalLength(_ settings: RoPESettings) -> Int {
    guard request.originalContext == nil, let known = subject.known(request) else { return settings.originalContext }
    return min(settings.originalContext, known.trainedLength)
  }

  static func patchedLayer(of readings: [RuntimeReading]) -> RuntimeReading? { readings.of("full_attention") }

  /// The advice where nothing can be written.
  private func withoutPatch(_ error: FileError) -> Advice {
    let window = declaration.contextLength?.value
    let isTrained = error.code == .trainedScaling
    let isServed = isTrained && window ?? 0 >= context
    let reach =
      isTrained ? window.map { isServed ? ", which serves \($0) tokens" : ", which ends at \($0) tokens" } : nil
    let reason = error.found + (reach ?? "")
    var advice = draft(isServed ? .keep : .unreachable, reason, notes: model.notes)
    if !isServed { advice.remedy = error.remedy }
    advice.originalContext = declaration.originalContext?.value
    return complete(advice, nil, lengths: [advice.originalContext, window, context].compactMap(\.self))
  }

  private func draft(_ verdict: Advice.Verdict, _ reason: String, notes: [String]) -> Advice {
    var advice = Advice(path: model.path, context: context, verdict: verdict, reason: reason, cache: cache)
    advice.window = declaration.contextLength?.value
    advice.notes = notes
    return advice
  }

  /// The plan for as many engines as can agree on one spelling, all of them if possible.
  ///
  /// - Parameter path: A file of the model, where only that one counts.
  func agreed(_ request: PatchRequest, of path: String? = nil) throws(FileError) -> PreparedPatch {
    func prepare(_ runtimes: [Runtime]?) throws(FileError) -> PreparedPatch {
      var request = request
      request.runtimes = runtimes
      return try PreparedPatch(path ?? model.path, request, in: fileSystem)
    }
    do throws(FileError) {
      return try prepare(nil)
    } catch  where [.runtimesDisagree, .notExpressible].contains(error.code) {
      var able: (runtimes: [Runtime], plan: PreparedPatch)?
      for runtime in forecast.runtimes(.all) where runtime.isEngine {
        let more = (able?.runtimes ?? []) + [runtime]
        if let plan = try? prepare(more) { able = (more, plan) }
      }
      guard let able else { throw error }
      return able.plan
    }
  }
}
