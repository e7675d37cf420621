extension Rule {
  static let magnitude: [Rule] = []
}
