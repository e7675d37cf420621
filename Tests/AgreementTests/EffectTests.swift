import Agreement
import Testing

@Suite struct EffectTests {
  @Test(arguments: [
    Effect.magnitude(attentionFactors: (1.2, .nan), softmaxScaleMultipliers: (1, 1)),
    .magnitude(attentionFactors: (.nan, 1.2), softmaxScaleMultipliers: (1, .nan)),
    .frequency(pair: 3, 0.25, .nan), .frequency(pair: 3, .nan, 0.25),
  ])
  func `what is no number is said in words`(_ effect: Effect) {
    #expect(effect.phrase.contains("no number") && !effect.phrase.lowercased().contains("nan"), "\(effect.phrase)")
  }

  @Test func `numbers are said as float32`() {
    let magnitude = Effect.magnitude(attentionFactors: (1, 1.25), softmaxScaleMultipliers: (1, 1))
    #expect(magnitude.phrase == "attention factor 1.25 instead of 1.0, logits × 1.5625")
    let frequency = Effect.frequency(pair: 3, 0.25, 0.5)
    #expect(frequency.phrase == "pair 3 turns 0.5 rad per token instead of 0.25, 100.0 % off")
  }
}
