extension Rule {
  static let suitability: [Rule] = []
}
