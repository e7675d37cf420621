import ModelConfig
import RoPE
import Runtimes

extension String {
  /// A path as a POSIX shell takes it, for what messages tell to type.
  var shellWord: String { [self].commandLine }
}

extension LintedGGUF {
  /// The command for a patch with some options, which asks for a base where the file states none.
  func patching(_ options: String) -> String {
    "`yarn-patch patch \(path.shellWord) \(options)\(file[keys.base] == nil ? " --base B" : "")`"
  }
}

extension LintedFile {
  /// `--runtime` for each of some targets that can read the magnitude from a config.json: llama.cpp's converter drops
  /// it, so that a patch for every target is refused. Empty for a GGUF, or when llama.cpp is no target.
  func magnitudeReaders(among targets: [Runtime]) -> String {
    guard input.format == .config, targets.contains(where: { $0.name == Runtime.llamaCpp.name }),
      readings(of: .llamaCpp).contains(where: \.isUsable)
    else { return "" }
    let readers = targets.filter { $0.name != Runtime.llamaCpp.name && $0.formats.contains(.config) }
    return readers.filter { readings(of: $0).contains(where: \.isUsable) }.map { " --runtime \($0.name)" }.joined()
  }
}

extension LintedModel {
  /// ` --attention-factor A` where a file states a magnitude that belongs to its factor, else nothing: a patch to
  /// another factor asks for it.
  func magnitudeOption(_ file: some LintedFile) -> String {
    guard let declaration = file.declaration, declaration.scalingKind == "yarn", let factor = declaration.factor?.value,
      let magnitude = declaration.attentionFactor?.value, !magnitude.isMagnitude(yarnMagnitude(factor: factor))
    else { return "" }
    return " --attention-factor A\(file.magnitudeReaders(among: deployment.targets))"
  }
}

extension RuntimeReading {
  fileprivate var isUsable: Bool { refused == nil }
}
