extension Rule {
  static let betweenFiles: [Rule] = [.descriptionsDisagree, .drafter, .copyLostScaling, .launchOverride]
}
