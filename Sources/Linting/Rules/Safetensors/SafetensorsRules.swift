extension Rule {
  static let safetensors: [Rule] = [.safetensorsBroken]
}
