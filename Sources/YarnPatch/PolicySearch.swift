import Diagnostics
import FileStore
import Linting
import Synchronization

/// Finds the policy that a folder is under: its own, else that of the nearest folder above, up to a repository's top.
final class PolicySearch: Sendable {
  private let fileSystem: any FileSystem
  private let found = Mutex<[String: LintPolicy?]>([:])

  init(_ fileSystem: any FileSystem) { self.fileSystem = fileSystem }

  /// - Parameter folder: Without links, from the root on.
  func policy(for folder: String) throws(FileError) -> LintPolicy? {
    if let known = found.withLock({ $0[folder] }) { return known }
    let policy: LintPolicy?
    if exists(Path.joined(folder, LintPolicy.fileName)) {
      policy = try LintPolicy(try ModelLoader(fileSystem).document(Path.joined(folder, LintPolicy.fileName)))
    } else if folder == "/" || exists(Path.joined(folder, ".git")) {
      policy = nil
    } else {
      policy = try self.policy(for: Path.folder(of: folder))
    }
    found.withLock { $0[folder] = .some(policy) }
    return policy
  }

  private func exists(_ path: String) -> Bool {
    (try? fileSystem.status(at: path, followingLinks: true)) != nil
  }
}
