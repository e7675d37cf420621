extension Rule {
  static let lengths: [Rule] = [
    .lengthsDisagree, .originalTwice, .servingLength, .factorTooLarge, .factorUnproven, .otherLimits, .slidingWindow,
    .competingLengths, .dualChunk,
  ]
}
