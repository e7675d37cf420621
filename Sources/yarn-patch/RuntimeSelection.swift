import ArgumentParser
import Runtimes
import YarnPatch

/// Runtimes named on the command line, each once.
extension RuntimeChoice {
  /// - Throws: A usage error that lists the known names or versions.
  init(_ names: [String]) throws {
    var chosen: [Runtime] = []
    for name in names where name != "all" {
      do throws(UnknownRuntime) {
        let runtime = try Runtime.named(name)
        if !chosen.contains(where: { $0.name == runtime.name && $0.version == runtime.version }) {
          chosen.append(runtime)
        }
      } catch { throw ValidationError("\(error)") }
    }
    self = names.contains("all") ? .all : .named(chosen)
  }

  static let help = """
    once for each; known: \(Runtime.all.map(\.name).joined(separator: ", ")), and all for every one that reads this kind \
    of file. A name may carry a version: vllm@0.33.
    """
}
