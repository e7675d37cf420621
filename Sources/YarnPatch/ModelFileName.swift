import FileStore
import GGUF

/// What the name of a file says about its part in a model.
enum ModelFileName {
  case config
  case gguf
  /// safetensors, or their index.
  case weights
  /// Settings beside config.json.
  case settings

  init?(_ name: String) {
    // The last letter sorts most names out.
    switch name.utf8.last {
    case UInt8(ascii: "n") where name == "config.json": self = .config
    case UInt8(ascii: "n") where name.hasSuffix(".safetensors.index.json"): self = .weights
    case UInt8(ascii: "n") where name.hasSuffix("_config.json") || name == "params.json": self = .settings
    // An adapter's weights are not the model's.
    case UInt8(ascii: "s") where name.hasSuffix(".safetensors") && !name.hasPrefix("adapter_"): self = .weights
    case UInt8(ascii: "f"), UInt8(ascii: "F"):
      guard name.lowercased().hasSuffix(".gguf") else { return nil }
      self = .gguf
    default: return nil
    }
  }

  /// Why a file with another name than the listed one is passed over.
  static let isNoText = "its name is not UTF-8; rename it to have it looked at"

  /// Whether a folder with such a file is a model's.
  var makesModel: Bool { self != .settings }

  /// Which files of one folder belong together.
  ///
  /// A folder is one model when it has a config.json or safetensors, or when its GGUFs differ in how they are quantised
  /// alone. In any other each GGUF is a model, with its shards.
  ///
  /// - Parameter names: Files of the folder that have a part, in order.
  static func models(of names: [String]) -> [[String]] {
    let kinds = names.map { Self($0) }
    let ggufs = names.filter { Self($0) == .gguf && !isCompanion($0) }
    if kinds.contains(.config) || kinds.contains(.weights) || Set(ggufs.map(modelName)).count == 1 { return [names] }
    var sets: [String: Int] = [:]
    var models: [[String]] = []
    for name in ggufs {
      let set = SplitName(fileName: name).map { "\($0.prefix)/\($0.count)" } ?? name
      if let index = sets[set] {
        models[index].append(name)
      } else {
        sets[set] = models.count
        models.append([name])
      }
    }
    return models
  }

  /// Whether a GGUF holds no language model: a projector of images, or the statistics that quantising was guided by.
  static func isCompanion(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.hasPrefix("mmproj") || name.contains("imatrix")
  }

  /// The name without shard and encoding: `qwen3-8b` for `Qwen3-8B-Q4_K_M-00001-of-00002.gguf`.
  static func modelName(_ fileName: String) -> String {
    let name = (SplitName(fileName: fileName)?.prefix ?? String(fileName.dropLast(".gguf".count))).lowercased()
    let parts = name.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "." }
    guard let encoding = parts.dropFirst().first(where: isEncoding) else { return name }
    var end = name.index(before: encoding.startIndex)
    // Makers of quantised files put a word of their own before it.
    for word in ["-ud", ".i1", "-imat"] where name[..<end].hasSuffix(word) {
      end = name.index(end, offsetBy: -word.count)
    }
    return String(name[..<end])
  }

  /// `q4_k_m`, `iq2_xxs`, `tq1_0`, `f16`, `bf16`, `mxfp4`.
  private static func isEncoding(_ part: Substring) -> Bool {
    if ["f16", "f32", "fp16", "fp32", "bf16", "fp8", "mxfp4", "nvfp4"].contains(where: part.hasPrefix) { return true }
    let digits = part.drop { $0 == "i" || $0 == "t" }
    return digits.first == "q" && digits.dropFirst().first?.isNumber == true
  }
}

extension FileSystem {
  /// Whether a listed name is not the one that the file has: bytes that are no UTF-8 were replaced in it, and it leads
  /// nowhere.
  func hasAnotherName(_ listed: String, in folder: String) -> Bool {
    listed.unicodeScalars.contains("\u{FFFD}")
      && (try? status(at: Path.joined(folder, listed), followingLinks: false)) == nil
  }
}
