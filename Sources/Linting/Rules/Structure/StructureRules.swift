extension Rule {
  static let structure: [Rule] = [.legacyKind, .originalMissing]
}
