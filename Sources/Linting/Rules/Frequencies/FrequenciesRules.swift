extension Rule {
  static let frequencies: [Rule] = []
}
