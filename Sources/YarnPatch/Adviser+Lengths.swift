import Agreement
import Diagnostics
import FileStore
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

// What each length takes, and what each runtime needs for it.

extension Adviser {
  /// Of the first file that tells.
  var cache: Result<KeyValueCache, FileError> {
    let results = model.files.map { file in
      Result { () throws(FileError) in
        switch file.contents {
        case .config(let config): try config.keyValueCache(file.declarations, file.shapes)
        case .gguf(let set): try set.first.keyValueCache(in: try FileSource(set.first.path, in: fileSystem))
        }
      }
    }
    return results.first { (try? $0.get()) != nil } ?? results[0]
  }

  func complete(_ draft: Advice, _ planned: PreparedPatch?, lengths: [Int]) -> Advice {
    var advice = draft
    let cache = try? advice.cache.get()
    advice.lengths = Set(lengths).sorted().map { tokens in
      var length = Advice.Length(tokens: tokens)
      length.cache16Bit = cache?.bytes(tokens: tokens, elementSize: 2)
      length.cache8Bit = cache?.bytes(tokens: tokens, elementSize: 1)
      guard let settings = advice.settings, settings.factor > 1 else { return length }
      let trained = trained(settings)
      var stage = settings
      stage.factor = tokens == settings.window ? settings.factor : Double(tokens) / Double(settings.originalContext)
      length.factor = stage.factor
      let table = tokens == trained.length ? trained.table : stage.reading(over: declaration).table
      guard let table, let before = trained.table else { return length }
      length.attentionFactor = table.attentionFactor
      length.scoreChange = ShortPromptCost.largestChange(table, trained: before, within: trained.length)
      return length
    }
    advice.runtimes = Runtime.engines.map { self.advice(for: $0, planned) }
    return advice
  }

  /// - Parameter planned: `nil` when the files stay as they are.
  private func advice(for runtime: Runtime, _ planned: PreparedPatch?) -> RuntimeAdvice {
    var advice = RuntimeAdvice(runtime: runtime.name, version: runtime.version)
    guard let file = forecast.file(for: runtime) else { return advice }
    advice.file = file.path
    advice.isConverted = runtime.name == Runtime.llamaCpp.name && file.gguf == nil
    let before = Self.patchedLayer(of: runtime.read(forecast.input(file)))
    advice.window = before?.contextLength
    guard let planned, let input = planned.inputs[file.path] else {
      if let refused = before?.refused { advice.obstacles = [refused.reason] }
      if let window = before?.contextLength, window < context {
        advice.obstacles.append("it derives a window of \(window) tokens")
      }
      return advice
    }
    guard let after = Self.patchedLayer(of: runtime.read(input)) else { return advice }
    advice.plannedWindow = after.contextLength
    advice.startOption = after.startOptions.first
    if let refused = after.refused {
      advice.obstacles = [refused.reason]
    } else {
      let wanted = planned.plan.settings.reading(over: file.declaration ?? declaration)
      advice.obstacles = wanted.effects(of: after).map(\.phrase)
    }
    return advice
  }
}
