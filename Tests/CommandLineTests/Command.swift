import Foundation
import TestSupport
import Testing

/// The built command, run the way a user runs it.
struct Command {
  /// What a run left behind.
  struct Outcome {
    /// `nil` when a signal ended it: a crash, or a limit that was passed.
    var exitCode: Int32?
    var output: String
    var errors: String
  }

  /// What a run may use; a run that wants more is killed, and so has no exit code.
  struct Limits {
    /// Bytes of private memory (`ulimit -d`), heap and stacks together.
    var memory = 64 << 20
    /// Seconds of processor time (`ulimit -t`), which other work on the machine does not change.
    var seconds = 2
  }

  struct Failure: Error, CustomStringConvertible { var description: String }

  /// The folder of the test bundle, which is also that of the products.
  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
  static let path = folder + "/yarn-patch"

  /// Runs `yarn-patch` with arguments.
  ///
  /// - Parameters:
  ///   - stdin: Text it may read; nothing if `nil`.
  ///   - environment: Changes to this process's environment; an empty text removes a variable.
  ///   - cwd: Folder it runs in.
  ///   - limits: None if `nil`.
  static func run(
    _ arguments: [String], stdin: String? = nil, environment: [String: String] = [:], cwd: String? = nil,
    limits: Limits? = nil
  ) throws -> Outcome {
    try run(path, arguments, stdin: stdin, environment: environment, cwd: cwd, limits: limits)
  }

  /// Runs any program. One that takes longer than a minute is killed and reported as an error.
  static func run(
    _ program: String, _ arguments: [String], stdin: String? = nil, environment: [String: String] = [:],
    cwd: String? = nil, limits: Limits? = nil
  ) throws -> Outcome {
    let folder = try ScratchFolder()
    try folder.write(stdin ?? "", to: "in")
    // Files instead of pipes: no reader has to keep up.
    let limit = limits.map { "ulimit -c 0 && ulimit -d \($0.memory >> 10) && ulimit -t \($0.seconds) && " } ?? ""
    let child = try Child(
      ["/bin/sh", "-c", "cd \"$0\" && \(limit)exec \"$@\"", cwd ?? folder.path, program] + arguments,
      environment: changed(by: environment), files: ["in", "out", "err"].map { "\(folder.path)/\($0)" })
    let status = try child.end(within: .seconds(60))
    let isExit = status & 0x7f == 0
    return Outcome(
      exitCode: isExit ? status >> 8 & 0xff : nil, output: try folder.text("out"), errors: try folder.text("err"))
  }

  private static func changed(by changes: [String: String]) -> [String: String] {
    // The width of help texts must not depend on the terminal of whoever runs the tests.
    let cleared = ["COLUMNS": "", "NO_COLOR": ""].merging(changes) { $1 }
    return ProcessInfo.processInfo.environment.merging(cleared) { $1 }.filter { !$0.value.isEmpty }
  }
}

/// A program that was started.
private struct Child {
  let process: pid_t
  let words: [String]

  /// - Parameters:
  ///   - words: The program's path and its arguments.
  ///   - files: For standard input, output and error.
  init(_ words: [String], environment: [String: String], files: [String]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, file) in files.enumerated() {
      let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT
      posix_spawn_file_actions_addopen(&actions, Int32(descriptor), file, flags, 0o600)
    }
    var argv = words.map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in argv + envp { free(text) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, words[0], &actions, nil, &argv, &envp)
    guard code == 0 else { throw Command.Failure(description: "\(words[0]): posix_spawn gives \(code)") }
    self.process = process
    self.words = words
  }

  /// The status that `waitpid` gives; after the time the program is killed and an error thrown.
  func end(within limit: Duration) throws -> Int32 {
    let deadline = ContinuousClock.now + limit
    var status: Int32 = 0
    while waitpid(process, &status, WNOHANG) == 0 {
      if ContinuousClock.now > deadline {
        kill(process, SIGKILL)
        waitpid(process, &status, 0)
        throw Command.Failure(description: "\(words) did not end within \(limit)")
      }
      usleep(500)
    }
    return status
  }
}

/// A program's path when it is installed, else `nil` with a word about what is left out.
func installed(_ program: String, orSkip what: String) -> String? {
  for folder in ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"] {
    let path = "\(folder)/\(program)"
    if FileManager.default.isExecutableFile(atPath: path) { return path }
  }
  print("skipped: \(what), because \(program) is not installed")
  return nil
}
