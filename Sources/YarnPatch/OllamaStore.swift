import Bytes
import Diagnostics
import FileStore
import LosslessJSON

/// Ollama's store: `manifests/<host>/<namespace>/<model>/<tag>`, each a JSON document that lists layers by digest, and
/// `blobs/sha256-<digest>`, which hold them without an extension.
enum OllamaStore {
  static let folders = ["blobs", "manifests"]

  static func isStore(_ names: [String]) -> Bool { folders.allSatisfy(names.contains) }

  /// A model as its manifest describes it.
  struct Manifest: Equatable {
    /// Names in the folder of blobs, those of the GGUFs that make the model.
    var models: [String] = []
    /// Whether weights are stored tensor by tensor instead.
    var hasTensors = false

    init(_ document: JSONDocument) {
      for layer in document["/layers"]?.value.elements ?? [] {
        // Parameters may follow the type.
        switch layer["mediaType"]?.prefix(while: { $0 != ";" }) {
        case "application/vnd.ollama.image.model": models += Self.blob(layer["digest"]).map { [$0] } ?? []
        case "application/vnd.ollama.image.tensor": hasTensors = true
        default: break
        }
      }
    }

    /// `nil` for what is no digest: a name from a file must not lead out of the store.
    private static func blob(_ digest: String?) -> String? {
      guard let digest, digest.hasPrefix("sha256:") else { return nil }
      let digits = digest.utf8.dropFirst("sha256:".utf8.count)
      let isHex = digits.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
      return digits.count == 64 && isHex ? "sha256-\(String(decoding: digits, as: UTF8.self))" : nil
    }
  }

  /// What a user of Ollama types: host and namespace where they are not the usual ones, the model, a colon and the tag.
  static func name(_ parts: [String]) -> String {
    var words = parts.dropLast()
    if words.first == "registry.ollama.ai" {
      words.removeFirst()
      if words.first == "library" { words.removeFirst() }
    }
    return "\(words.joined(separator: "/")):\(parts.last ?? "")"
  }
}

extension JSONNode {
  fileprivate subscript(key: String) -> String? { child(key)?.value.string }
}

extension ModelSearch {
  /// A manifest has a kilobyte, or with a layer for each tensor some hundred.
  private static let maximumManifestSize: UInt64 = 4 << 20

  /// Adds each GGUF of a store once, under all its names.
  mutating func addOllamaModels(in store: String) {
    var names: [[String]: [String]] = [:]
    for parts in manifests(in: Path.joined(store, "manifests")) {
      let path = ([store, "manifests"] + parts).joined(separator: "/")
      let name = OllamaStore.name(parts)
      do throws(FileError) {
        let manifest = OllamaStore.Manifest(try ollamaManifest(path))
        let blobs = manifest.models.map { Path.joined(store, "blobs/\($0)") }
        if blobs.isEmpty {
          let reason = manifest.hasTensors ? "its weights are stored tensor by tensor" : "it names no model"
          note("\(path): \(name) passed over, \(reason)")
        } else if let missing = blobs.first(where: { (try? fileSystem.kind(at: $0)) != .regular }) {
          note("\(path): \(name) passed over, its file \(missing) is missing; run `ollama pull \(name)`")
        } else {
          names[blobs, default: []].append(name)
        }
      } catch {
        note("\(path): \(name) passed over, \(error.found)")
      }
    }
    for (blobs, names) in names.sorted(by: { $0.key[0] < $1.key[0] }) {
      add(FoundModel(path: blobs[0], files: blobs, name: names.joined(separator: ", ")))
    }
  }

  /// Host, namespace, model and tag of each manifest, in order.
  private mutating func manifests(in folder: String) -> [[String]] {
    var paths: [[String]] = [[]]
    for level in 0..<4 {
      let kind: FileKind = level < 3 ? .folder : .regular
      paths = paths.flatMap { parts in
        let place = ([folder] + parts).joined(separator: "/")
        do throws(FileError) {
          return try fileSystem.sortedNames(in: place)
            .filter { name in
              !name.hasPrefix(".") && (try? fileSystem.kind(at: "\(place)/\(name)")) == kind
            }
            .map { parts + [$0] }
        } catch {
          note("\(place): not searched, \(error.found)")
          return []
        }
      }
    }
    return paths
  }

  private func ollamaManifest(_ path: String) throws(FileError) -> JSONDocument {
    let source = try FileSource(path, in: fileSystem)
    guard source.size <= Self.maximumManifestSize else {
      throw FileError(
        .jsonTooLarge, at: SourceLocation(path: path), found: "the manifest has \(source.size) bytes",
        expected: "at most \(Self.maximumManifestSize >> 20) MiB", remedy: "pull the model again")
    }
    return try JSONDocument(try source.bytes(in: 0..<source.size), path: path)
  }
}
