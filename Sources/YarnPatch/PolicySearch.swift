import Diagnostics
import FileStore
import Linting
import Synchronization

/// Finds the policy that a folder is under: its own, else that of the nearest folder above, up to a repository's top.
final class PolicySearch: Sendable {
  private let fileSystem: any FileSystem
  private let found = Mutex<[String: LintPolicy?]>([:])

  init(_ fileSystem: any FileSystem) { self.fileSystem = fileSystem }

  /// - Parameters:
  ///   - folder: Without links, from the root on.
  ///   - names: What a search saw in it. Such a folder is remembered for its own policy only: there may be thousands.
  func policy(for folder: String, _ names: [String]? = nil) throws(FileError) -> LintPolicy? {
    func exists(_ name: String) -> Bool {
      names?.contains(name) ?? ((try? fileSystem.status(at: Path.joined(folder, name), followingLinks: true)) != nil)
    }
    if let known = found.withLock({ $0[folder] }) { return known }
    let policy: LintPolicy?
    let hasOwn = exists(LintPolicy.fileName)
    if hasOwn {
      policy = try LintPolicy(try ModelLoader(fileSystem).document(Path.joined(folder, LintPolicy.fileName)))
    } else if folder == "/" || exists(".git") {
      policy = nil
    } else {
      policy = try self.policy(for: Path.folder(of: folder))
    }
    if names == nil || hasOwn { found.withLock { $0[folder] = .some(policy) } }
    return policy
  }
}
