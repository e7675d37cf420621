import LosslessJSON
import ModelConfig

/// What makes a runtime compute the table of a scaled file when it is started on the unscaled one.
public struct StartOption: Sendable, Equatable {
  /// Runtime name of the command's contract, and the version that the option was read for.
  public var runtime: String
  public var version: String?
  /// Arguments of the runtime's command line; empty when none of them give the table.
  public var arguments: [String]
  /// What the arguments leave out, or why there are none.
  public var remark: String?

  init(_ runtime: String, version: String?, arguments: [String], remark: String? = nil) {
    (self.runtime, self.version, self.arguments, self.remark) = (runtime, version, arguments, remark)
  }

  /// The arguments as a POSIX shell takes them.
  public var commandLine: String { arguments.commandLine }
}

private let wordBytes = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._/".utf8)

extension [String] {
  /// Arguments as a POSIX shell takes them: plain ASCII, and in single quotes whatever is more than a word.
  package var commandLine: String {
    map { argument in
      guard argument.isEmpty || !argument.utf8.allSatisfy(wordBytes.contains) else { return argument }
      return "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }.joined(separator: " ")
  }
}

extension RoPEDeclaration {
  /// Whether the file scales a model that was trained without scaling. A model that was trained with its scaling
  /// (llama3, LongRoPE) has no unscaled file to start on.
  var isExtended: Bool {
    staticNTKFactor != nil || ["linear", "dynamic", "yarn", "telechat3-yarn"].contains(scalingKind)
  }
}

extension FileDeclarations {
  var areExtended: Bool { declarations.contains(where: \.isExtended) }
}

extension [RuntimeReading] {
  /// The readings with a start option each, when they all hold a table.
  func offering(_ options: RuntimeOptions, _ option: @autoclosure () -> StartOption?) -> Self {
    guard options.offersStart, !contains(where: { $0.refused != nil }), contains(where: { $0.table != nil }),
      let option = option()
    else {
      return self
    }
    return map { reading in
      var reading = reading
      reading.startOptions = [option]
      return reading
    }
  }
}

extension Transformers5Config {
  /// The override of config members that puts a file's settings into the loaded config of the unscaled one, as JSON.
  ///
  /// It takes effect after transformers has read the file and folded the base, the share that rotates and the original
  /// length into the dictionary, so the dictionary must hold them all; it stands at the level of the language section,
  /// and the windows beside it.
  /// - Parameter layers: What the runtime makes of ``loaded``; `nil` for a layer without rotation.
  /// - Source: vLLM 0.33 `config/model.py` (`_apply_dict_overrides`), SGLang 0.5.23
  ///   `srt/utils/hf_transformers/config.py` (`get_config`).
  func startOverride(_ layers: [PythonDictionary?]) -> String {
    let dictionaries = layers.map { layer in
      layer.map { dictionary in
        var parameters = dictionary
        // A second name of the kind can only disagree.
        if parameters[ConfigKey.ropeType] != nil { parameters[ConfigKey.type] = nil }
        return parameters.json
      } ?? .null
    }
    let whole = isNested ? .object(zip(loaded, dictionaries).map { ($0.type ?? "", $1) }) : dictionaries.first ?? .null
    let windows = ConfigKey.windows.compactMap { key in section[key].map { (key, $0.json) } }
    let owners = sectionPointer.split(separator: "/").reversed().map(String.init)
    let members = owners.reduce(JSONText.object([(ConfigKey.ropeParameters, whole)] + windows)) { .object([($1, $0)]) }
    return members.compact.asciiJSON
  }
}

extension PythonDictionary {
  fileprivate var json: JSONText { .object(members.map { ($0.key, $0.value.json) }) }
}

extension PythonValue {
  /// The value as Python would write it: an integer stays one, and so does a float.
  fileprivate var json: JSONText {
    switch self {
    case .none: .null
    case .bool(let flag): .bool(flag)
    case .int(let value): .number(value)
    case .float(let value): .float(value)
    case .string(let text): .string(text)
    case .list(let values): .array(values.map(\.json))
    case .dictionary(let dictionary): dictionary.json
    }
  }
}

extension String {
  /// A JSON text with everything but printable ASCII escaped, so that no terminal or shell changes it.
  fileprivate var asciiJSON: String {
    utf16.map { unit in
      if 0x20..<0x7f ~= unit { return String(Unicode.Scalar(UInt8(unit))) }
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}
