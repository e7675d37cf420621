extension Rule {
  static let lengths: [Rule] = [.servingLength]
}
