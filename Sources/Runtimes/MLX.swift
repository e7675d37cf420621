import ModelConfig
import RoPE

extension Runtime {
  /// mlx-lm: each model file picks its rotary settings out of config.json, `rope_utils.py` makes a module of them.
  public static let mlxLM = Runtime("mlx-lm", version: "0.32.2") { config, _, options in
    func reading(_ layerType: String? = nil, kind: String = "default") -> RuntimeReading {
      RuntimeReading("mlx-lm", version: "0.32.2", layerType: layerType, kind: kind)
    }
    func refused(_ refusal: RuntimeRefusal, _ reading: RuntimeReading) -> RuntimeReading {
      var reading = reading
      reading.refused = refusal
      return reading
    }
    do throws(RuntimeRefusal) {
      let source = try MLXConfig(config)
      return try source.layers().map { layer in
        let arguments = layer.arguments
        do throws(RuntimeRefusal) {
          return try layer.module.reading(of: arguments, options, into: reading(arguments.layerType), from: source)
        } catch {
          return refused(error, reading(arguments.layerType, kind: (try? arguments.kind()) ?? "default"))
        }
      }
    } catch {
      return [refused(error, reading())]
    }
  }
}

/// What `initialize_rope` and the rotary classes are called with.
struct MLXRoPEArguments {
  var layerType: String?
  var base: Double
  /// How many elements rotate, mlx-lm's `dims`.
  var dimension: Int
  /// The scaling dictionary; `nil` for None.
  var scaling: PythonDictionary?
  /// JSON pointer of the scaling dictionary.
  var pointer: String
  /// `max_position_embeddings`; `nil` for None.
  var window: Double?
  /// The model file's own original length, for files that look at the top level for it.
  var topOriginal: Double?

  /// `type` before `rope_type`: an empty or null `type` gives way, a null `rope_type` does not.
  ///
  /// - Throws: `ValueError` for what is not text, which is no known kind.
  func kind() throws(RuntimeRefusal) -> String {
    guard let scaling else { return "default" }
    guard let value = scaling.isTruthy("type") ? scaling["type"] : scaling["rope_type"] else { return "default" }
    guard let kind = value.string else { throw RuntimeRefusal("ValueError", "Unsupported RoPE type: not a text") }
    return kind
  }
}

/// The arguments of a model file's dataclass: members of config.json's object, else the field's default.
struct MLXConfig {
  let config: HuggingFaceConfig
  let file: MLXModelFile
  /// The object that the model file is given, and its pointer.
  let section: PythonDictionary
  let pointer: String
  /// Facts to tell before anything else is read.
  let notes: [RuntimeNote]

  /// - Throws: `ValueError` for a model type without a file, `TypeError` for a wrapper without its text_config.
  init(_ config: HuggingFaceConfig) throws(RuntimeRefusal) {
    self.config = config
    let whole = PythonDictionary(config.document.root)
    let text = PythonDictionary(whole["text_config"])
    guard let declared = whole.string("model_type") else {
      // mlx-lm itself stops at the missing key; folders without one are read as most files call initialize_rope.
      (file, section, pointer) = (.generic, PythonDictionary(config.document[config.section]), config.section)
      notes = [RuntimeNote("default-used", key: "/model_type", "no model_type; read as most model files read theirs")]
      return
    }
    let name = MLXModelFile.aliases[declared] ?? declared
    if let wrapper = MLXModelFile.wrappers[name] {
      let hasText = !text.isEmpty
      guard hasText || MLXModelFile.wrappersWithoutText.contains(name) else {
        throw RuntimeRefusal("TypeError", "missing required argument: 'text_config'")
      }
      (section, pointer) = hasText ? (text, "/text_config") : (whole, "")
      let inner = wrapper(text.string("model_type"))
      file = MLXModelFile.inner[inner] ?? MLXModelFile.named(inner) ?? .generic
      notes = []
      return
    }
    (section, pointer) = (whole, "")
    if let known = MLXModelFile.named(name) {
      (file, notes) = (known, [])
    } else if MLXModelFile.others.contains(name) {
      file = .generic
      notes = [
        RuntimeNote(
          "class-not-modelled", key: "/model_type",
          "models/\(name).py has rotary code of its own; read as most model files read theirs")
      ]
    } else {
      throw RuntimeRefusal("ValueError", "Model type \(declared) not supported.")
    }
  }

  /// A member that must be given unless the field has a default.
  ///
  /// - Returns: `nil` for None, which an explicit null gives whatever the default.
  /// - Throws: `TypeError` for a missing argument and for what is not a number.
  func number(_ key: String, default value: Double? = nil) throws(RuntimeRefusal) -> Double? {
    if section[key] != nil { return try section.number(key) }
    guard let value else { throw RuntimeRefusal("TypeError", "missing required argument: '\(key)'") }
    return value
  }

  /// The same where None stops the model's construction.
  func needed(_ key: String, default value: Double? = nil) throws(RuntimeRefusal) -> Double {
    guard let number = try number(key, default: value) else { throw RuntimeRefusal("TypeError", "\(key) is None") }
    return number
  }

  /// A member that is a dictionary or None.
  ///
  /// - Throws: `AttributeError` for anything else, which has no `get`.
  func dictionary(_ key: String) throws(RuntimeRefusal) -> PythonDictionary? {
    guard section.hasValue(key) else { return nil }
    guard let dictionary = section[key]?.dictionary else {
      throw RuntimeRefusal("AttributeError", "\(key) is not a dictionary")
    }
    return dictionary
  }
}
