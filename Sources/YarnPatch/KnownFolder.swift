/// Folders whose names say what is in them.
enum KnownFolder {
  /// Hidden folders without caches of models; folders of installed packages, which bring model files of their own for
  /// tests; datasets and programs of the hub.
  static func isPassedOver(_ name: String) -> Bool {
    switch name.utf8.first {
    case UInt8(ascii: "."): caches(in: name).isEmpty
    case UInt8(ascii: "n"): name == "node_modules"
    case UInt8(ascii: "_"): name == "__pycache__"
    case UInt8(ascii: "s"): name == "site-packages" || name.hasPrefix("spaces--")
    case UInt8(ascii: "d"): name.hasPrefix("datasets--")
    default: false
    }
  }

  /// The folders for models in a hidden one, seen from the folder that holds it.
  static func caches(in hidden: String) -> [String] {
    switch hidden {
    case ".cache": [".cache/huggingface/hub", ".cache/llama.cpp", ".cache/lm-studio/models"]
    case ".ollama": [".ollama/models"]
    case ".lmstudio": [".lmstudio/models"]
    default: []
    }
  }

  /// Whether a folder is a model's in the cache of the Hugging Face hub:
  /// `models--org--name/{blobs,refs,snapshots/<commit>/…}`, where snapshots are links to blobs.
  static func isHubRepository(_ name: String, _ folders: [String]) -> Bool {
    name.hasPrefix("models--") && folders.contains("snapshots")
  }

  /// `org/name@commit` for a snapshot in that cache, and what follows for a folder in it.
  static func hubName(of path: String) -> String? {
    var text = path
    let isInCache = text.withUTF8 { text in
      text.indices.contains { text[$0] == UInt8(ascii: "/") && text[$0...].starts(with: "/snapshots/".utf8) }
    }
    guard isInCache else { return nil }
    let parts = path.split(separator: "/")
    guard let index = parts.lastIndex(of: "snapshots"), index > 0, index + 1 < parts.count else { return nil }
    guard parts[index - 1].hasPrefix("models--") else { return nil }
    // The cache writes two dashes for a slash.
    let name = parts[index - 1].dropFirst("models--".count).split(separator: "--").joined(separator: "/")
    return "\(name)@\(parts[(index + 1)...].joined(separator: "/"))"
  }
}
