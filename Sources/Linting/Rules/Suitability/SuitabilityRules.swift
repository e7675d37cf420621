extension Rule {
  static let suitability: [Rule] = [
    .shortPrompts, .cachesAndLength, .baseTooSmall, .scalingReplaced, .scaledTwice, .trainedOtherwise,
  ]
}
