extension Rule {
  static let gguf: [Rule] = [
    .typeAndFactor, .typeUnknown, .ggufOriginalMissing, .contextLength, .inertKey, .extrapolationMix, .logMultiplier,
    .factorsAndScaling, .rotaryTensors, .valueType, .rotaryDimension, .foreignPrefix, .repeatedName, .layout, .splitSet,
  ]
}
