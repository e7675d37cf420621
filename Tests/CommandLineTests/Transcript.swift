import Foundation
import TestSupport

/// A session at a terminal: commands behind `$ `, each followed by what it prints.
struct Transcript {
  struct Step {
    /// What a shell is given.
    var command: String
    /// What both outputs show, results first.
    var output: String
  }

  var steps: [Step] = []

  init(running commands: [String], in folder: ScratchFolder, endsWithCode: Bool = false) throws {
    var code: Int32 = 0
    for command in commands {
      // The last exit code stands in `$?`, as it would in one shell.
      let outcome = try Command.run(
        "/bin/sh", ["-c", "(exit \(code)); \(command)"],
        environment: ["PATH": "\(Command.folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"],
        cwd: folder.path)
      guard let exitCode = outcome.exitCode else { throw Command.Failure(description: "`\(command)` was killed") }
      code = exitCode
      let codeLine = endsWithCode && code != 0 ? "[exit code \(code)]\n" : ""
      steps.append(Step(command: command, output: outcome.output + outcome.errors + codeLine))
    }
  }

  /// The steps that stand in a text; lines before the first command belong to none.
  init(_ text: some StringProtocol) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), output: ""))
      } else if !steps.isEmpty {
        steps[steps.count - 1].output += line + "\n"
      }
    }
  }

  var text: String { steps.map { "$ \($0.command)\n\($0.output)" }.joined() }
}

/// A report without what depends on the processor's last bits: measured deviations, with the column widths that follow
/// from them, and digits of a number beyond the twelfth.
func comparable(_ text: String) -> String {
  text.components(separatedBy: "\n").map { line in
    var line = line
    line.replace(/[-+.e0-9]+ ≤/, with: "# ≤")
    // A line of checks is as wide as the widest measured deviation, also where it has none itself.
    if line.contains(" ≤ ") || line.hasPrefix("  ok  ") || line.hasPrefix("  FAILED  ") {
      line.replace(/\ {2,}/, with: "  ")
    }
    line.replace(/"measured": [-+.e0-9]+/, with: "\"measured\": #")
    line.replace(/[0-9]+\.[0-9]{12,}(e[-+]?[0-9]+)?/) { String(format: "%.12g", Double($0.output.0) ?? .nan) }
    return line
  }.joined(separator: "\n")
}

/// Whether a text is what a pattern says, in which a line `…` stands for any lines.
func fits(_ text: String, _ pattern: String) -> Bool {
  var parts = pattern.components(separatedBy: "\n").split(separator: "…", omittingEmptySubsequences: false)
  var lines = text.components(separatedBy: "\n")[...]
  guard let first = parts.first, lines.starts(with: first) else { return false }
  lines = lines.dropFirst(first.count)
  parts.removeFirst()
  guard let last = parts.popLast() else { return lines.isEmpty }
  for part in parts {
    guard let start = lines.indices.first(where: { lines[$0...].starts(with: part) }) else { return false }
    lines = lines[(start + part.count)...]
  }
  return lines.count >= last.count && lines.suffix(last.count).elementsEqual(last)
}

/// Whether recorded texts are to be written anew instead of compared: `make goldens`.
let writesGoldens = ProcessInfo.processInfo.environment["YARN_PATCH_WRITE_GOLDENS"] == "1"
