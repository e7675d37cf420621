extension Rule {
  static let betweenFiles: [Rule] = []
}
