import Glibc

/// The collection of real files beside the package, `../shared/corpus`, or where `YARN_PATCH_CORPUS` says.
///
/// It is not part of the package; tests that read it say aloud when it is absent, and pass.
public enum Corpus {
  public static let root: String? = {
    let package = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    let root = getenv("YARN_PATCH_CORPUS").map { String(cString: $0) } ?? package + "/../shared/corpus"
    return access(root + "/facts.json", R_OK) == 0 ? root : nil
  }()

  /// A file's bytes, or `nil` when it cannot be read.
  public static func bytes(_ path: String) -> [UInt8]? {
    guard let root, let file = fopen(root + "/" + path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
  }

  /// To be printed instead of counts.
  public static let absence = "corpus absent: set YARN_PATCH_CORPUS to its folder to test real files"
}
