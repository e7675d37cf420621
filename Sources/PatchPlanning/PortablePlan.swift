import Agreement
import Bytes
import Diagnostics
import GGUF
import LosslessJSON
import ModelConfig
import Runtimes

extension FileError.Code {
  package static let runtimesDisagree: Self = "runtimes-disagree"
}

/// The edits of one file in a spelling that the runtimes it is meant for read alike.
package struct PortablePlan {
  package let file: FilePlan
  /// Those whose reading of the planned file is what is asked.
  package let runtimes: [Runtime]
  package let notes: [String]
  /// The file as it will be, without members that no runtime looks at.
  package let input: RuntimeInput
  /// Of a config.json.
  package let spelling: ConfigSpelling

  private init(_ trial: Trial, _ targets: RuntimeTargets) {
    file = trial.plan
    runtimes = targets.runtimes
    notes = targets.windowNotes(trial.input) + trial.notes
    input = trial.input
    spelling = trial.spelling
  }

  /// Tries spellings of a config.json, the most economical first, until all runtimes read what is asked.
  ///
  /// - Parameters:
  ///   - input: The file with its surroundings.
  ///   - runtimes: Who runs from this file.
  ///   - areNamed: Whether the user named them; otherwise those that cannot read the file as it is are left out.
  /// - Throws: `runtimes-disagree` when there is no such spelling.
  package init(
    _ config: HuggingFaceConfig, _ surroundings: RuntimeInput.Surroundings, _ declaration: RoPEDeclaration,
    _ settings: RoPESettings, for runtimes: [Runtime], areNamed: Bool
  ) throws(FileError) {
    let slim = config.slimmed
    func planned(_ spelling: ConfigSpelling) throws(FileError) -> (FilePlan, RuntimeInput) {
      let plan = try ConfigPlanner.plan(slim, declaration, settings, spelling)
      guard let bytes = plan.edits.apply(to: slim.document.bytes) else {
        return (plan, .config(slim, surroundings))
      }
      let document = try JSONDocument(bytes, path: config.document.path)
      return (plan, .config(try HuggingFaceConfig(document, section: config.section), surroundings))
    }
    // Without a usable base the file as it is says nothing about who reads it with one.
    let start = declaration.base == nil ? try planned(ConfigSpelling()).1 : .config(slim, surroundings)
    let targets = RuntimeTargets(runtimes, areNamed: areNamed, start, declaration, settings)
    func attempt(_ spelling: ConfigSpelling) throws(FileError) -> Trial {
      let (plan, input) = try planned(spelling)
      return Trial(spelling: spelling, plan: plan, input: input, departures: targets.departures(input))
    }
    var trials: [Trial] = []
    // The magnitude stands apart from the layout, so each is settled by itself.
    for layout in ConfigSpelling.layouts {
      let trial = try attempt(layout)
      trials.append(trial)
      if !trial.departures.contains(where: { $0.effect.aspect != .magnitude }) { break }
    }
    let layout = Trial.best(trials) { $0.effect.aspect != .magnitude }
    if settings.factor > 1, let layout, layout.departures.contains(where: { $0.effect.aspect == .magnitude }) {
      for magnitude in ConfigSpelling.Magnitude.allCases.dropFirst() {
        var spelling = layout.spelling
        spelling.magnitude = magnitude
        trials.append(try attempt(spelling))
        if trials.last?.departures.isEmpty == true { break }
      }
    }
    if var agreed = trials.first(where: \.departures.isEmpty) {
      agreed.plan = try ConfigPlanner.plan(config, declaration, settings, agreed.spelling)
      self.init(agreed, targets)
      return
    }
    // Of equals the most explicit one tells best what a runtime does when it has been told everything.
    let last = Trial.best(trials.reversed()) { _ in true }
    throw targets.refusal(
      last?.departures ?? [], last?.input ?? start, at: SourceLocation(path: config.document.path))
  }

  /// Plans a GGUF in the encoding that is asked for, and lets llama.cpp read it.
  ///
  /// - Parameters:
  ///   - tensors: Rotary tensors of the file and of its other shards.
  ///   - areNamed: Whether llama.cpp has to read the file as it is.
  ///   - quantum: See `GGUFFile.filler(setting:removing:storing:growingBy:in:)`.
  /// - Throws: What ``GGUFPlanner`` throws, and `runtimes-disagree`; where keys cannot say what factors can, the remedy
  ///   names them.
  package init(
    _ file: GGUFFile, tensors: RotaryTensors, _ declaration: RoPEDeclaration, _ settings: RoPESettings,
    _ encoding: PatchEncoding = .keys, for runtimes: [Runtime], areNamed: Bool,
    growingBy quantum: UInt64? = nil, in source: any ByteSource
  ) throws(FileError) {
    let targets = RuntimeTargets(runtimes, areNamed: areNamed, .gguf(file, tensors), declaration, settings)
    func attempt(_ encoding: GGUFEncoding) throws(FileError) -> Trial {
      let planned = try GGUFPlanner.planned(
        file, tensors, declaration, settings, encoding, growingBy: quantum, in: source)
      let input = RuntimeInput.gguf(planned.header, planned.tensors)
      // What is stored takes the place of divisors that were there before.
      var targets = targets
      if encoding == .factors { targets = targets.withoutDivisors }
      let departures = targets.departures(input)
      guard departures.isEmpty else { throw targets.refusal(departures, input, at: SourceLocation(path: file.path)) }
      return Trial(
        spelling: ConfigSpelling(), plan: planned.plan, input: input, departures: [],
        notes: encoding == .factors ? GGUFPlanner.factorNotes(declaration) : [])
    }
    guard encoding != .factors else {
      self.init(try attempt(.factors), targets)
      return
    }
    do throws(FileError) {
      self.init(try attempt(.keys), targets)
    } catch  where [.notExpressible, .runtimesDisagree].contains(error.code) {
      guard let other = try? attempt(.factors) else { throw error }
      guard encoding == .auto else { throw error.offering("use --encoding factors") }
      self.init(other, targets)
    }
  }
}

extension FileError {
  /// The same error with another way out before its own.
  fileprivate func offering(_ remedy: String) -> FileError {
    var error = self
    error.remedy = "\(remedy); or \(self.remedy)"
    return error
  }
}

/// A spelling with what runtimes make of it.
private struct Trial {
  var spelling: ConfigSpelling
  var plan: FilePlan
  var input: RuntimeInput
  var departures: [Departure]
  var notes: [String] = []

  /// The first of those with the fewest departures that count.
  static func best(_ trials: [Trial], where counts: (Departure) -> Bool) -> Trial? {
    trials.min { $0.departures.count(where: counts) < $1.departures.count(where: counts) }
  }
}
