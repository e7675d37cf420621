import Diagnostics
import GGUF
import ModelConfig
import RoPE
import Runtimes

/// The two spellings of a GGUF's scaling.
package enum GGUFEncoding: Sendable { case keys, factors }

extension GGUFPlanner {
  /// The wanted table as divisors of each pair, and scaling type `none`.
  ///
  /// With that type llama.cpp takes 1 for the factor and no part of YaRN, so `attn_factor` is the whole magnitude. No
  /// factor is written: layers with a sliding window would still be scaled by it, and readers that look at it alone would
  /// scale twice. Original length and betas stay as keys without effect, from which the scaling is read back.
  static func addFactors(
    to draft: inout Draft, _ file: GGUFFile, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) throws(FileError) {
    try checkEncodable(file, keys, declaration, settings)
    // Stored divisors are replaced: plain are the frequencies that follow from the base alone.
    var plain = declaration
    plain.frequencyDivisors = nil
    let table = settings.reading(over: plain, sequenceLength: nil).table ?? FrequencyTable(inverseFrequencies: [])
    let divisors = DivisorEncoding.divisors(of: table.inverseFrequencies, base: Double(Float(settings.base)))
    guard divisors.count == settings.rotaryDimension / 2, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw FileError(
        .notExpressible, at: file.place(keys.rotaryDimension), found: "no table of positive float32 divisors follows",
        expected: "\(settings.rotaryDimension / 2) of them", remedy: "ask for other values")
    }
    draft.tensor = GGUFFloatTensor(GGUFKeys.divisorsTensor, divisors)
    draft.wanted.append((keys.type, .string("none")))
    draft.wanted.append((keys.original, window(settings.originalContext)))
    draft.unwanted.append(keys.factor)
    for (key, beta, usual) in [(keys.betaFast, settings.betaFast, 32.0), (keys.betaSlow, settings.betaSlow, 1)] {
      if settings.method.writesYaRN, let beta, beta != usual {
        draft.wanted.append((key, .float32(Float(beta))))
      } else if !keys.architecture.readsBetas || settings.method.writesYaRN {
        draft.unwanted.append(key)
      }
    }
    draft.setMagnitude(table.attentionFactor, keys)
  }

  private static func checkEncodable(
    _ file: GGUFFile, _ keys: GGUFKeys, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) throws(FileError) {
    func refuse(_ place: SourceLocation, _ found: String, _ expected: String, _ remedy: String) -> FileError {
      FileError(.notExpressible, at: place, found: found, expected: expected, remedy: remedy)
    }
    let place = SourceLocation(path: file.path, key: GGUFKeys.divisorsTensor)
    if settings.method == .dynamic {
      throw refuse(
        place, "dynamic scaling has no one table", "a method whose table does not follow the sequence",
        "use --method yarn, or patch config.json alone")
    }
    guard keys.architecture.takesDivisors else {
      throw refuse(
        file.place("general.architecture"),
        "llama.cpp does not divide frequencies by a tensor for architecture \(keys.architecture)",
        "an architecture that loads \(GGUFKeys.divisorsTensor), such as llama, mistral3, granite, exaone or minicpm",
        "use --encoding keys; a tensor that llama.cpp does not know would make the load fail")
    }
    // Proportional rotation: gemma4's converter writes 1e30 for pairs that are to stand still.
    if let still = declaration.frequencyDivisors?.value.first(where: { !($0 < 1e9) }) {
      throw refuse(
        place, "a stored divisor of \(still) keeps its pair from turning", "divisors of pairs that all turn",
        "use --encoding keys, which leaves the tensor as it is")
    }
  }

  /// What the user of a file with factors should know.
  static func factorNotes(_ declaration: RoPEDeclaration) -> [String] {
    let lost = "the divisors that were stored are replaced: undo brings them back, --method none does not"
    return ["readers that pass over \(GGUFKeys.divisorsTensor), as most but llama.cpp do, see no scaling"]
      + (declaration.frequencyDivisors == nil ? [] : [lost])
  }

  static func otherShard(_ file: GGUFFile, _ tensor: GGUFFloatTensor) -> FileError {
    FileError(
      .notExpressible, at: SourceLocation(path: file.path, key: tensor.name),
      found: "the tensor stands in another file of the set", expected: "the file that holds the metadata",
      remedy: "merge the set with llama-gguf-split --merge first")
  }
}
