extension Rule {
  static let magnitude: [Rule] = [.magnitudeOfSome, .magnitudeUnusual, .mscalePair, .softmaxCorrection]
}
