import GGUF
import ModelConfig
import Runtimes

/// Rotary options of llama.cpp's command line, against the file they are given with.
struct KeyOverride {
  let command: LaunchCommand
  let gguf: LintedGGUF

  private func number(_ names: String...) -> Double? {
    names.lazy.compactMap { command.values($0).last.flatMap(Double.init) }.first
  }

  private var kind: String? { command.values("--rope-scaling").last ?? gguf.file[gguf.keys.type]?.stringValue }

  private var factor: Double? {
    number("--rope-scale") ?? number("--rope-freq-scale").flatMap { $0 > 0 ? 1 / $0 : nil }
  }

  /// What goes wrong: phrases.
  var problems: [String] {
    var problems = keyProblems
    if let kind = command.values("--rope-scaling").last, kind != "none", factor == nil,
      gguf.llamaCpp?.factor == nil
    {
      problems.append("`--rope-scaling \(kind.prefix(20))` without `--rope-scale` leaves the factor at 1")
    }
    if command.values("--yarn-attn-factor").last != nil, kind == "yarn" {
      problems.append("`--yarn-attn-factor` has no effect while YaRN is active")
    }
    return problems
  }

  /// `--override-kv KEY=TYPE:VALUE,…`: llama.cpp passes over a key of another name or type.
  private var keyProblems: [String] {
    command.values("--override-kv").flatMap { $0.split(separator: ",") }.compactMap { text in
      let parts = text.split(separator: "=", maxSplits: 1)
      let type = parts.last?.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
      guard parts.count == 2, let key = parts.first.map(String.init), text.contains(":") else {
        return "`\(text.prefix(60))` is not KEY=TYPE:VALUE"
      }
      let isPosition = key.contains(".rope.") || key.hasSuffix(".context_length")
      guard isPosition, let architecture = gguf.file.architecture else { return nil }
      guard key.hasPrefix("\(architecture).") else {
        return "`\(key.prefix(60))` is not read for architecture \(architecture)"
      }
      guard let wanted = gguf.keys.readTypes.first(where: { $0.key == key })?.type else {
        return "`\(key.prefix(60))` is not read for architecture \(architecture)"
      }
      let spelled = [GGUFValueType.float32: "float", .uint32: "int", .string: "str", .bool: "bool"][wanted] ?? ""
      return type == spelled ? nil : "`\(key)` is overridden as \(type), llama.cpp takes \(spelled) only"
    }
  }

  /// The options that give on this file what these ask for, where they name a factor.
  func complete(in model: LintedModel) -> String? {
    guard let factor, factor > 1 else { return nil }
    let keys = gguf.keys
    let original =
      number("--yarn-orig-ctx").flatMap { Int(exactly: $0) } ?? model.known(gguf)?.trainedLength
      ?? gguf.declaration?.originalContext?.value ?? gguf.declaration?.contextLength?.value
    guard let original = original.flatMap({ UInt32(exactly: $0) }),
      let window = UInt32(exactly: (Double(original) * factor).rounded())
    else { return nil }
    var file = gguf.file
    file = file.imagining(keys.type, .string(kind ?? "linear")).imagining(keys.factor, .float32(Float(factor)))
    file = file.imagining(keys.original, .uint32(original)).imagining(keys.contextLength, .uint32(window))
    if let base = number("--rope-freq-base") { file = file.imagining(keys.base, .float32(Float(base))) }
    let line = Runtime.llamaCpp.read(.gguf(file, gguf.tensors)).first?.startOptions.first?.commandLine
    return line.flatMap { $0.isEmpty ? nil : $0 }
  }
}
