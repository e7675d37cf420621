import Diagnostics
import LosslessJSON
import ModelConfig
import Runtimes

/// Values of config.json that a launch command replaces, each with its keys from the outermost.
struct ConfigOverride {
  struct Value {
    var keys: [String]
    var node: JSONNode
    var text: JSONText
  }

  private(set) var values: [Value] = []
  /// An option that is no JSON, as the command has it.
  private(set) var unreadable: String?

  private static let dictionaryNames = [ConfigKey.ropeScaling, ConfigKey.ropeParameters]

  /// Reads `--hf-overrides` with its dotted form, `--json-model-override-args`, and the old `--rope-scaling` and
  /// `--rope-theta`.
  init(_ command: LaunchCommand) {
    for option in command.options {
      guard let value = option.value else { continue }
      let parts = option.name.split(separator: ".").map(String.init)
      switch parts.first {
      case "--hf-overrides"?, "--json-model-override-args"?: add(value, at: Array(parts.dropFirst()))
      case "--rope-scaling"? where command.program == .vllm: add(value, at: [ConfigKey.ropeScaling])
      case "--rope-theta"? where command.program == .vllm: add(value, at: [ConfigKey.ropeTheta])
      default: continue
      }
    }
  }

  private mutating func add(_ text: String, at keys: [String]) {
    // A dotted value that is no JSON is taken as text.
    let candidates = keys.isEmpty ? [text] : [text, JSONText.quoted(text)]
    let documents = candidates.lazy.compactMap { try? JSONDocument(Array($0.utf8), path: "") }
    guard let document = documents.first else {
      unreadable = unreadable ?? text
      return
    }
    flatten(document.root, of: document, at: keys)
  }

  /// Objects are gone through, unless they are empty.
  private mutating func flatten(_ node: JSONNode, of document: JSONDocument, at keys: [String]) {
    if let members = node.value.members, !members.isEmpty {
      for member in members { flatten(member.node, of: document, at: keys + [member.key]) }
    } else {
      let text = JSONText.raw(String(decoding: document.bytes[node.range], as: UTF8.self))
      values.append(Value(keys: keys, node: node, text: text))
    }
  }

  // MARK: what it replaces

  /// The values that have to do with positions, with the section they stand in, the dictionary and the member.
  private var settings: [(section: [String], dictionary: String?, member: [String], value: Value)] {
    values.compactMap { value in
      if let place = value.keys.firstIndex(where: Self.dictionaryNames.contains) {
        return (Array(value.keys[..<place]), value.keys[place], Array(value.keys[(place + 1)...]), value)
      }
      guard let last = value.keys.last, ([ConfigKey.ropeTheta] + ConfigKey.windows).contains(last) else { return nil }
      return (value.keys.dropLast(), nil, [last], value)
    }
  }

  /// A number among the replaced values, wherever it stands.
  private func number(_ key: String) -> Double? {
    settings.first { $0.member.last == key }?.value.node.value.number?.double
  }

  /// What goes wrong when it is applied to a config: phrases.
  func problems(with config: LintedConfig) -> [String] {
    let language = JSONPointer.tokens(of: config.config.section) ?? []
    var problems: [String] = []
    if let unreadable { problems.append("`\(unreadable.prefix(40))` is no JSON") }
    guard !settings.isEmpty else { return problems }
    if let misplaced = settings.first(where: { $0.section != language }) {
      problems.append(
        "it replaces `\(JSONPointer.joining(misplaced.value.keys))`, and the language model's settings are in "
          + (language.isEmpty ? "the outermost object" : "`\(config.config.section)`"))
    }
    let given = settings.filter { $0.dictionary != nil }
    guard let dictionary = given.first?.dictionary else { return problems }
    let missing = required(in: config).filter { key in !given.contains { $0.member.last == key } }
    if !missing.isEmpty {
      problems.append("it replaces `\(dictionary)` as a whole and omits \(missing.map { "`\($0)`" }.listed)")
    }
    if let window = wantedWindow(config), number(ConfigKey.maximum) == nil,
      let stated = config.declaration?.contextLength?.value, stated < window
    {
      problems.append("the window stays \(stated) without `\(ConfigKey.maximum)`")
    }
    return problems
  }

  /// Members without which a dictionary that takes the place of the file's says less than it.
  private func required(in config: LintedConfig) -> [String] {
    let kind = settings.first { [ConfigKey.ropeType, ConfigKey.type].contains($0.member.last) }?.value.node.value.string
    let stated = config.dictionaries.flatMap { $0.members.map(\.key) }
    let kept = ["mrope_section", "mrope_interleaved"].filter(stated.contains)
    let share = config.member(ConfigKey.partialRotaryFactor) != nil || stated.contains(ConfigKey.partialRotaryFactor)
    return [ConfigKey.ropeType] + (config.declaration?.base != nil ? [ConfigKey.ropeTheta] : [])
      + (["yarn", "llama3", "longrope"].contains(kind) ? [ConfigKey.original] : [])
      + (share ? [ConfigKey.partialRotaryFactor] : []) + kept
  }

  private func original(_ config: LintedConfig, _ model: LintedModel? = nil) -> Int? {
    number(ConfigKey.original).flatMap { Int(exactly: $0) } ?? config.declaration?.originalContext?.value
      ?? model?.known(config)?.trainedLength ?? config.declaration?.contextLength?.value
  }

  private func wantedWindow(_ config: LintedConfig, _ model: LintedModel? = nil) -> Int? {
    guard let factor = number(ConfigKey.factor), factor > 1, let original = original(config, model) else { return nil }
    return Int(exactly: (Double(original) * factor).rounded())
  }

  // MARK: the complete one

  /// The options that give on the unscaled file what this override asks for.
  func complete(for config: LintedConfig, in model: LintedModel, _ runtime: Runtime) -> String? {
    let inner = settings.filter { $0.dictionary != nil && $0.member.count == 1 }
    guard case .config(_, let surroundings) = config.input, !inner.isEmpty else { return nil }
    var members = inner.map { (key: $0.member[0] == ConfigKey.type ? ConfigKey.ropeType : $0.member[0], $0.value.text) }
    if number(ConfigKey.original) == nil, let original = original(config, model) {
      members.append((ConfigKey.original, .integer(original)))
    }
    if let base = settings.first(where: { $0.dictionary == nil && $0.member == [ConfigKey.ropeTheta] }) {
      members.append((ConfigKey.ropeTheta, base.value.text))
    }
    var changes: [SettingChange]
    if let active = config.dictionaries.first {
      changes = members.map { config.change(active.pointer(to: $0.key), $0.1) }
      // A second name of the kind can only disagree.
      changes += active[ConfigKey.type] == nil ? [] : [config.change(active.pointer(to: ConfigKey.type), nil)]
    } else {
      changes = [config.change("\(config.config.section)/\(ConfigKey.ropeScaling)", nil)]
      changes.append(config.change("\(config.config.section)/\(ConfigKey.ropeParameters)", .object(members)))
    }
    let window = number(ConfigKey.maximum).flatMap { Int(exactly: $0) } ?? wantedWindow(config, model)
    if let window, let place = config.member(ConfigKey.maximum)?.pointer {
      changes.append(config.change(place, .integer(window)))
    }
    guard let imagined = try? config.config.changed(by: changes) else { return nil }
    let line = runtime.read(.config(imagined, surroundings)).first?.startOptions.first?.commandLine
    return line.flatMap { $0.isEmpty ? nil : $0 }
  }
}

extension HuggingFaceConfig {
  /// The config as it would be.
  fileprivate func changed(by changes: [SettingChange]) throws(FileError) -> HuggingFaceConfig? {
    guard let text = try document.edits(for: changes).apply(to: document.bytes) else { return nil }
    return try HuggingFaceConfig(try JSONDocument(text, path: document.path), section: section)
  }
}
