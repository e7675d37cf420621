/// A command line that starts a server: which one, and its options.
///
/// The words are split as a POSIX shell does it; variables and substitutions are left as they stand.
package struct LaunchCommand: Equatable {
  /// Servers by the names of the command's contract.
  enum Program: String {
    case vllm, sglang
    case llamaCpp = "llama.cpp"
    case mlxLM = "mlx-lm"
  }

  struct Option: Equatable {
    /// With its dashes; underscores of a Python program's option as dashes.
    var name: String
    /// `nil` for a switch.
    var value: String?
  }

  let program: Program
  let options: [Option]
  /// What names the model: a path, or a name in the hub.
  let model: String?

  /// - Returns: `nil` when the line starts none of the servers, or a quotation is not closed.
  init?(_ line: String) {
    guard let words = Self.words(of: line) else { return nil }
    for index in words.indices {
      let name = words[index].split(separator: "/").last.map(String.init) ?? ""
      let next = index + 1 < words.count ? words[index + 1] : nil
      guard let program = Self.program(name, next) else { continue }
      self.program = program
      let options = Self.options(words[(index + 1)...], of: program)
      self.options = options
      let named = options.last { Self.modelOptions.contains($0.name) }?.value
      let word = next == "serve" && index + 2 < words.count ? words[index + 2] : nil
      model = named ?? word.flatMap { Self.isOption($0) ? nil : $0 }
      return
    }
    return nil
  }

  /// The values of an option under any of its names, in order.
  func values(_ names: String...) -> [String] { options.filter { names.contains($0.name) }.compactMap(\.value) }

  /// What names the model in a command line that starts a server.
  package static func model(in line: String) -> String? { LaunchCommand(line)?.model }

  private static let modelOptions: Set = ["--model", "--model-path", "-m"]

  private static func program(_ name: String, _ next: String?) -> Program? {
    switch name {
    case "vllm" where next == "serve": .vllm
    case "sglang" where next == "serve", "sglang.launch_server": .sglang
    case "mlx_lm" where next == "server", "mlx_lm.server": .mlxLM
    case _ where name.hasPrefix("vllm.entrypoints."): .vllm
    case _ where name.hasPrefix("llama-"): .llamaCpp
    default: nil
    }
  }

  private static func options(_ words: ArraySlice<String>, of program: Program) -> [Option] {
    var options: [Option] = []
    var rest = words
    while let word = rest.popFirst() {
      guard isOption(word) else { continue }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      var option = Option(name: parts[0], value: parts.count > 1 ? parts[1] : nil)
      if option.value == nil, let next = rest.first, !isOption(next) { option.value = rest.popFirst() }
      if program != .llamaCpp { option.name = dashed(option.name) }
      options.append(option)
    }
    return options
  }

  /// `--hf_overrides` as `--hf-overrides`; behind a dot stand keys of the value, which keep their underscores.
  private static func dashed(_ name: String) -> String {
    let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    return ([String(parts[0].map { $0 == "_" ? "-" : $0 })] + parts.dropFirst().map(String.init))
      .joined(separator: ".")
  }

  /// A dash begins an option unless a number follows.
  private static func isOption(_ word: String) -> Bool {
    word.first == "-" && word.count > 1 && Double(word) == nil
  }

  // MARK: words

  /// The words of a line without their quotes, `nil` when a quotation is not closed.
  static func words(of line: String) -> [String]? {
    var words: [String] = []
    var word: String.UnicodeScalarView?
    var scalars = line.unicodeScalars.makeIterator()
    func add(_ scalar: Unicode.Scalar) {
      if word == nil { word = .init() }
      word?.append(scalar)
    }
    while let scalar = scalars.next() {
      switch scalar {
      case " ", "\t", "\n", "\r":
        if let word { words.append(String(word)) }
        word = nil
      case "\\":
        guard let next = scalars.next() else { return nil }
        // A line break behind a backslash continues the line.
        if next != "\n" { add(next) }
      case "'", "\"":
        word = word ?? .init()
        var isClosed = false
        while let inner = scalars.next() {
          isClosed = inner == scalar
          if isClosed { break }
          guard scalar == "\"", inner == "\\" else {
            add(inner)
            continue
          }
          guard let next = scalars.next() else { return nil }
          // Within double quotes a backslash stands for itself before most characters.
          if !["\"", "\\", "$", "`", "\n"].contains(next) { add(inner) }
          if next != "\n" { add(next) }
        }
        guard isClosed else { return nil }
      default: add(scalar)
      }
    }
    if let word { words.append(String(word)) }
    return words
  }
}
