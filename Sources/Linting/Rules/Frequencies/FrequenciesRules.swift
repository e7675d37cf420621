extension Rule {
  static let frequencies: [Rule] = [
    .baseUnusable, .baseTwice, .rotaryDimension, .headSizeNull, .betas, .rampDegenerate, .rampRounding, .storedTable,
  ]
}
