extension Rule {
  static let structure: [Rule] = [
    .kindMissing, .legacyKind, .kindsDisagree, .unknownKind, .factorUnusable, .originalMissing, .unknownKey,
    .numberLiteral, .twoDictionaries, .layerDictionaries, .brokenJSON, .wrongSection, .multimodalSections,
  ]
}
