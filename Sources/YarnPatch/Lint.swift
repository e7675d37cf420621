import Diagnostics
import FileStore
import Linting
import LosslessJSON

/// The model in a folder with its policy's draft target and original, as the rules see it.
///
/// - Parameter draft: Fixes to see as made.
func lintedModel(
  at folder: String, after draft: FixDraft = FixDraft(), in fileSystem: any FileSystem = POSIXFileSystem()
) throws(FileError) -> LintedModel {
  let policy = try lintPolicy(in: folder, fileSystem) ?? LintPolicy()
  var loader = LintLoader(fileSystem, policy.deployment)
  loader.draft = draft
  func load(_ folder: String) throws(FileError) -> LintedModel {
    let names = try fileSystem.sortedNames(in: folder).filter { name in
      name == "config.json" || [".gguf", ".safetensors", ".index.json"].contains(where: name.hasSuffix)
    }
    return loader.load(folder, files: names.map { Path.joined(folder, $0) })
  }
  let model = try load(folder)
  if let target = policy.drafts["."] { model.target = try load(Path.joined(folder, target)) }
  if let base = policy.copies["."] { model.base = try load(Path.joined(folder, base)) }
  return model
}

/// The policy that stands in a folder.
func lintPolicy(in folder: String, _ fileSystem: any FileSystem) throws(FileError) -> LintPolicy? {
  let path = Path.joined(folder, LintPolicy.fileName)
  guard (try? fileSystem.status(at: path, followingLinks: true)) != nil else { return nil }
  return try LintPolicy(try ModelLoader(fileSystem).document(path))
}
