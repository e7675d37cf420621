import Diagnostics
import RoPE

/// A value that a file states, and where it states it.
public struct Declared<Value: Sendable>: Sendable {
  public var value: Value
  public var place: SourceLocation

  public init(_ value: Value, at place: SourceLocation) {
    self.value = value
    self.place = place
  }

  /// Another reading of the value, at the same place.
  package func map<Other: Sendable>(_ transform: (Value) -> Other) -> Declared<Other> {
    Declared<Other>(transform(value), at: place)
  }
}

/// What one file says about rotary position embedding, for one kind of layer.
///
/// A member that the file does not state is `nil`: only a runtime may fill in a default, because they differ. Derived
/// numbers (head size from hidden size and head count) count as stated; their place is the first key involved.
public struct RoPEDeclaration: Sendable {
  /// Key of a per-layer-type dictionary (`full_attention`), `nil` when one setting serves all layers.
  public var layerType: String?
  /// Scaling kind as the file spells it: `yarn`, `linear`, `llama3`, …
  public var kind: Declared<String>?
  /// RoPE base (theta in config.json, `rope.freq_base` in GGUF).
  public var base: Declared<Double>?
  /// Every place that states a base for this kind of layer, the one in ``base`` first.
  public var bases: [Declared<Double>] = []
  public var factor: Declared<Double>?
  /// Length the model was trained on before scaling, in tokens.
  public var originalContext: Declared<Int>?
  /// Window the file states, in tokens: `max_position_embeddings` or `context_length`.
  public var contextLength: Declared<Int>?
  /// Width of a query or key head.
  public var headDimension: Declared<Int>?
  /// How many of a head's elements rotate.
  public var rotaryDimension: Declared<Int>?
  public var betaFast: Declared<Double>?
  public var betaSlow: Declared<Double>?
  /// Magnitude that multiplies cos and sin, as a final value. A GGUF states it relative to the automatic one; it is
  /// converted here.
  public var attentionFactor: Declared<Double>?
  public var mscale: Declared<Double>?
  public var mscaleAllDim: Declared<Double>?
  public var truncate: Declared<Bool>?
  public var lowFrequencyFactor: Declared<Double>?
  public var highFrequencyFactor: Declared<Double>?
  /// LongRoPE divisors, one per rotary pair.
  public var shortFactors: Declared<[Double]>?
  public var longFactors: Declared<[Double]>?
  /// Divisors of a GGUF's `rope_freqs.weight`, one per rotary pair, that no other value here accounts for.
  public var frequencyDivisors: Declared<[Double]>?
  /// Divisors of the same tensor where they stand for the scaling that is declared here, or for none.
  public var encodedDivisors: Declared<[Double]>?
  public var mropeSection: Declared<[Int]>?
  /// Multi-head latent attention: only a slice of each head rotates, and the softmax scale may carry a correction.
  public var usesLatentAttention = false
  /// The file is a GGUF, where an absent scaling type beside a factor means linear, and beside LongRoPE's tensors that.
  public var absentKindIsLinear = false

  public init(layerType: String? = nil) { self.layerType = layerType }

  /// The scaling kind in one spelling, or `nil` for plain RoPE.
  ///
  /// `su` is LongRoPE's old name, `mrope` names a position layout and not a scaling, `none` and `default` mean unscaled.
  public var scalingKind: String? {
    switch kind?.value.lowercased() {
    case "su": "longrope"
    case "default", "none", "mrope": nil
    case "deepseek_yarn": "yarn"
    case let other?: other
    case nil where !absentKindIsLinear: nil
    // A GGUF's factor tensors act whatever the keys say; converters of LongRoPE write no type.
    case nil: longFactors != nil || shortFactors != nil ? "longrope" : factor != nil ? "linear" : nil
    }
  }

  /// How far the base was raised for a longer window by static NTK scaling: the window over the original length when a
  /// file names an original length but no scaling. `nil` for every other file.
  public var staticNTKFactor: Double? {
    guard scalingKind == nil, frequencyDivisors == nil, let original = originalContext?.value,
      let window = contextLength?.value, window > original, original > 0
    else { return nil }
    return Double(window) / Double(original)
  }
}

extension RoPEDeclaration {
  /// Takes out a head size that no model has, so that nothing is made of that many elements.
  ///
  /// - Returns: What was wrong, if anything.
  mutating func refuseLongHead() -> [FileError] {
    guard let head = headDimension, head.value > RoPEParameters.maximumDimension else { return [] }
    headDimension = nil
    return [
      FileError(
        .badRotaryDimension, at: head.place, found: "a head has \(head.value) elements",
        expected: "at most \(RoPEParameters.maximumDimension)",
        remedy: "correct the value, or take it from the original model")
    ]
  }

  /// Every stated member with its place, by the names of the command's JSON.
  public var places: [(member: String, place: SourceLocation)] {
    let members: [(String, SourceLocation?)] = [
      ("kind", kind?.place), ("base", base?.place), ("factor", factor?.place),
      ("originalContext", originalContext?.place), ("contextLength", contextLength?.place),
      ("rotaryDimension", rotaryDimension?.place), ("headDimension", headDimension?.place),
      ("betaFast", betaFast?.place), ("betaSlow", betaSlow?.place), ("attentionFactor", attentionFactor?.place),
      ("mscale", mscale?.place), ("mscaleAllDim", mscaleAllDim?.place), ("truncate", truncate?.place),
    ]
    return members.compactMap { member, place in place.map { (member, $0) } }
  }
}
