import LosslessJSON
import ModelConfig
import Runtimes

/// A change of a file that is only imagined, to learn from the runtimes' own readings what a difference hangs on.
struct Variation {
  typealias Value = SettingChange.Value

  /// JSON pointers or GGUF keys with their new values.
  var changes: [(key: String, value: Value)]
  /// What to do, as a phrase in the imperative.
  var cure: String
  /// What is named as the cause, the decisive key first.
  var keys: [String]

  init(_ changes: [(key: String, value: Value)], _ cure: String, keys: [String]? = nil) {
    self.changes = changes
    self.cure = cure
    self.keys = keys ?? changes.map(\.key).uniqued()
  }

  static func + (one: Variation, other: Variation) -> Variation {
    Variation(one.changes + other.changes, "\(one.cure), and \(other.cure)", keys: (one.keys + other.keys).uniqued())
  }

  /// The input with the changes made; `nil` where they do not fit it.
  func applied(to input: RuntimeInput) -> RuntimeInput? {
    switch input {
    case .config(let config, let surroundings):
      applied(to: config).map { .config($0, surroundings) }
    case .gguf(var file, var tensors):
      {
        for (key, value) in changes {
          switch value {
          case .gguf(let value): file = file.imagining(key, value)
          case .absent where tensors.removeValue(forKey: key) != nil: break
          case .absent: file = file.imagining(key, nil)
          case .json: return nil
          }
        }
        return .gguf(file, tensors)
      }()
    }
  }

  private func applied(to config: HuggingFaceConfig) -> HuggingFaceConfig? {
    let document = config.document
    do {
      let changes = changes.lazy.map { SettingChange(document.path, $0.key, $0.value) }
      guard let bytes = try document.edits(for: changes).apply(to: document.bytes) else { return nil }
      return try HuggingFaceConfig(JSONDocument(bytes, path: document.path), section: config.section)
    } catch {
      return nil
    }
  }
}
