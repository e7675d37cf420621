extension Rule {
  static let gguf: [Rule] = [
    .typeAndFactor, .typeUnknown, .ggufOriginalMissing, .contextLength, .inertKey, .extrapolationMix, .logMultiplier,
    .factorsAndScaling, .rotaryTensors, .valueType, .ggufRotaryDimension, .foreignPrefix, .repeatedName, .layout,
    .splitSet,
  ]
}
