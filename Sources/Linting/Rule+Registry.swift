extension Rule {
  /// Every rule, by id.
  public static let all: [Rule] =
    structure + lengths + frequencies + magnitude + suitability + gguf + safetensors + betweenFiles

  private static let structure: [Rule] = [
    .kindMissing, .legacyKind, .kindsDisagree, .unknownKind, .factorUnusable, .originalMissing, .unknownKey,
    .numberLiteral, .twoDictionaries, .layerDictionaries, .brokenJSON, .wrongSection, .multimodalSections,
  ]

  private static let lengths: [Rule] = [
    .lengthsDisagree, .originalTwice, .servingLength, .factorTooLarge, .factorUnproven, .otherLimits, .slidingWindow,
    .competingLengths, .dualChunk,
  ]

  private static let frequencies: [Rule] = [
    .baseUnusable, .baseTwice, .rotaryDimension, .headSizeNull, .betas, .rampDegenerate, .rampRounding, .storedTable,
  ]

  private static let magnitude: [Rule] = [.magnitudeOfSome, .magnitudeUnusual, .mscalePair, .softmaxCorrection]

  private static let suitability: [Rule] = [
    .shortPrompts, .cachesAndLength, .baseTooSmall, .scalingReplaced, .scaledTwice, .trainedOtherwise,
  ]

  private static let gguf: [Rule] = [
    .typeAndFactor, .typeUnknown, .ggufOriginalMissing, .contextLength, .inertKey, .extrapolationMix, .logMultiplier,
    .factorsAndScaling, .rotaryTensors, .valueType, .ggufRotaryDimension, .foreignPrefix, .repeatedName, .layout,
    .splitSet,
  ]

  private static let safetensors: [Rule] = [.safetensorsBroken]

  private static let betweenFiles: [Rule] = [.descriptionsDisagree, .drafter, .copyLostScaling, .launchOverride]
}
