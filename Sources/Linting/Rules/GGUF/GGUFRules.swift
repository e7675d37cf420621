extension Rule {
  static let gguf: [Rule] = [.typeUnknown]
}
