import Bytes
import Diagnostics
import FileStore
import GGUF
import Linting

/// One model that a search found: the files that belong together.
package struct FoundModel: Sendable, Equatable {
  /// What names the model in reports: its folder, or its file when it was named alone or stands among other models.
  package var path: String
  /// config.json and the JSON files of settings beside it, GGUF and safetensors files and their index, in the order of
  /// their names.
  package var files: [String]
  /// What people call it where the path hardly says so: `org/name@commit` in the cache of the Hugging Face hub,
  /// `name:tag` in Ollama's store.
  package var name: String?
  /// What the search saw of the files' folder; `nil` for files that were named, or that a store names.
  package var folder: FoundFolder?

  package init(path: String, files: [String], name: String? = nil, folder: FoundFolder? = nil) {
    self.path = path
    self.files = files
    self.name = name
    self.folder = folder
  }
}

/// A folder that a search has read, so that a lint need not read it again.
package struct FoundFolder: Sendable, Equatable {
  /// The absolute path without links.
  package var real: String
  /// The names in it that a lint looks for: policies, repositories, undo records, settings beside a model.
  package var names: [String]

  /// Whether a name is one of those.
  static func isWanted(_ name: String) -> Bool {
    name.utf8.first == UInt8(ascii: ".") && [".git", LintPolicy.fileName].contains(name)
      || LintedModel.siblingNames.contains(name) || UndoRecord.isRecord(name)
  }
}

/// Finds the models under paths, by the names of files alone where these tell.
///
/// Folders are searched downwards, links included, each folder once. Passed over are hidden folders (but for the caches
/// of models in them), what `.gitignore` excludes, and folders of installed packages; never a path that was named.
/// Not thread-safe; one value for one search.
package struct ModelSearch {
  /// A tree that is deeper was not made for models.
  static let maximumDepth = 100

  let fileSystem: any FileSystem
  /// What was passed over though it may have been meant, a sentence each, in the order of the search.
  package private(set) var notes: [String] = []
  private var found: [FoundModel] = []
  private var foldersSeen: Set<FilePlace> = []
  private var filesSeen: Set<FilePlace> = []
  /// Folders that links lead to. They wait until all others are done, so that a model appears under its own name.
  private var linkedFolders: [String] = []
  private var ignoredCount = 0

  package init(_ fileSystem: any FileSystem = POSIXFileSystem()) { self.fileSystem = fileSystem }

  /// The models under files and folders, in the order of their paths' bytes.
  ///
  /// A model whose files were all found elsewhere, by other names or through links, is not given again.
  ///
  /// - Throws: Only for a path that does not exist or cannot be asked about; what fails below is noted.
  package mutating func models(under paths: [String]) throws(FileError) -> [FoundModel] {
    var files: [String] = []
    for path in Set(paths.map(Path.withoutTrailingSlashes)).sorted(by: Path.precedes) {
      if try fileSystem.kind(at: path) == .folder { walk(from: path) } else { files.append(path) }
    }
    while !linkedFolders.isEmpty {
      let folders = linkedFolders.sorted(by: Path.precedes)
      linkedFolders = []
      for folder in folders { walk(from: folder) }
    }
    for file in files { addNamed(file) }
    if ignoredCount > 0 {
      let entries = ignoredCount == 1 ? "1 file or folder" : "\(ignoredCount) files and folders"
      notes.append("\(entries) passed over, as .gitignore says; name one to have it looked at")
    }
    return found.sorted { Path.precedes($0.path, $1.path) }
  }

  // MARK: folders

  private struct Folder {
    var path: String
    /// The absolute path without links.
    var real: String
    var name: String
    /// How far below the folder that was named.
    var depth = 0
    /// The rules of the folder above.
    var rules: IgnoreRules?
  }

  private mutating func walk(from path: String) {
    var folders: [Folder] = []
    attempt(path) { (search) throws(FileError) in
      let real = try search.fileSystem.real(path)
      folders = [
        Folder(path: path, real: real, name: Path.name(of: real), rules: try search.fileSystem.ignoreRules(above: real))
      ]
    }
    while let folder = folders.popLast() {
      attempt(folder.path) { (search) throws(FileError) in folders += try search.look(into: folder).reversed() }
    }
  }

  /// Adds the models of one folder.
  ///
  /// - Returns: The folders to search next.
  private mutating func look(into folder: Folder) throws(FileError) -> [Folder] {
    guard folder.depth <= Self.maximumDepth else {
      notes.append("\(folder.path): not searched, it is more than \(Self.maximumDepth) folders deep")
      return []
    }
    guard foldersSeen.insert(try fileSystem.target(of: folder.path).identity.place).inserted else { return [] }
    let entries = try fileSystem.entries(at: folder.path)
    let rules = try rules(in: folder, entries)
    var listing = Listing()
    for entry in entries.filter(mayMatter).sorted(by: { Path.precedes($0.name, $1.name) }) {
      classify(entry, in: folder, rules, into: &listing)
    }
    add(
      folder.path, listing.files,
      FoundFolder(real: folder.real, names: entries.map(\.name).filter(FoundFolder.isWanted)))
    if KnownFolder.isHubRepository(folder.name, listing.folders) { listing.folders = ["snapshots"] }
    if OllamaStore.isStore(listing.folders) {
      addOllamaModels(in: folder.path)
      listing.folders.removeAll(where: OllamaStore.folders.contains)
    }
    return try listing.folders.map { name throws(FileError) in
      let path = Path.joined(folder.path, name)
      let isFurtherDown = name.utf8.contains(UInt8(ascii: "/"))
      let isReal = folder.path == folder.real
      return Folder(
        path: path,
        real: isFurtherDown ? try fileSystem.real(path) : isReal ? path : Path.joined(folder.real, name), name: name,
        // A cache further down is not the repository's.
        depth: folder.depth + 1, rules: isFurtherDown ? nil : rules)
    }
  }

  /// A repository of its own is no business of the one around it.
  private mutating func rules(in folder: Folder, _ entries: [FolderEntry]) throws(FileError) -> IgnoreRules? {
    let outer = entries.contains { $0.name == ".git" } ? nil : folder.rules
    let hasOwn = entries.contains { $0.name == ".gitignore" }
    guard hasOwn || outer != nil else { return nil }
    var text: [UInt8] = []
    if hasOwn {
      attempt(Path.joined(folder.path, ".gitignore"), "not applied") { (search) throws(FileError) in
        text = try search.fileSystem.ignoreText(in: folder.path)
      }
    }
    return IgnoreRules(text, in: folder.name, below: outer)
  }

  /// What of a folder matters: names of files that belong to models, and of folders, or of folders in those.
  private struct Listing {
    var files: [String] = []
    var folders: [String] = []
  }

  /// Tells by the name alone, so that most of what stands in a folder costs no more.
  private func mayMatter(_ entry: FolderEntry) -> Bool {
    if ModelFileName(entry.name) != nil { return !entry.name.hasPrefix(".") }
    return entry.kind != .regular && !KnownFolder.isPassedOver(entry.name)
  }

  private mutating func classify(
    _ entry: FolderEntry, in folder: Folder, _ rules: IgnoreRules?, into listing: inout Listing
  ) {
    let isFile = ModelFileName(entry.name) != nil
    let path = Path.joined(folder.path, entry.name)
    let ownKind = entry.kind ?? kind(at: path, followingLinks: false)
    if isFile, fileSystem.hasAnotherName(entry.name, in: folder.path) {
      notes.append("\(path): passed over, \(ModelFileName.isNoText)")
      return
    }
    let kind = ownKind == .symbolicLink ? kind(at: path, followingLinks: true) : ownKind
    guard kind == .folder || isFile else { return }
    if let rules, rules.ignore(entry.name, isFolder: ownKind == .folder) {
      ignoredCount += 1
    } else if entry.name.hasPrefix(".") {
      let caches = KnownFolder.caches(in: entry.name)
      listing.folders += caches.filter { self.kind(at: Path.joined(folder.path, $0), followingLinks: true) == .folder }
    } else if kind == .regular {
      listing.files.append(entry.name)
    } else if kind == .folder, ownKind == .folder {
      listing.folders.append(entry.name)
    } else if kind == .folder {
      if !leadsUpwards(path, from: folder.real) { linkedFolders.append(path) }
    } else if kind == nil {
      notes.append("\(path): passed over, it is a link to nothing")
    }
  }

  /// Whether a link leads to a folder around the one it stands in: all of that was not asked for.
  private func leadsUpwards(_ link: String, from folder: String) -> Bool {
    guard let target = try? fileSystem.real(link) else { return false }
    return "\(folder)/".hasPrefix(target == "/" ? "/" : "\(target)/")
  }

  private func kind(at path: String, followingLinks: Bool) -> FileKind? {
    try? fileSystem.status(at: path, followingLinks: followingLinks).kind
  }

  /// Goes on after an error, and notes it.
  private mutating func attempt(
    _ path: String, _ outcome: String = "not searched", _ body: (inout Self) throws(FileError) -> Void
  ) {
    do throws(FileError) { try body(&self) } catch { notes.append("\(path): \(outcome), \(error.found)") }
  }

  // MARK: models

  /// Adds the models that files of one folder make.
  private mutating func add(_ folder: String, _ names: [String], _ found: FoundFolder) {
    guard names.contains(where: { ModelFileName($0)?.makesModel == true }) else { return }
    let names = names.filter { !isMissing(Path.joined(folder, $0), $0) }
    for group in ModelFileName.models(of: names) {
      let files = group.map { Path.joined(folder, $0) }
      add(
        FoundModel(
          path: group.count == names.count ? folder : files[0], files: files, name: KnownFolder.hubName(of: folder),
          folder: found))
    }
  }

  /// Whether a GGUF was left in the repository's large file storage. Weights in safetensors may be: their config.json
  /// can be judged without.
  private mutating func isMissing(_ path: String, _ name: String) -> Bool {
    guard ModelFileName(name) == .gguf, (try? isPointer(path)) == true else { return false }
    notes.append("\(path): passed over, it is a Git LFS pointer; run `git lfs pull` to have it looked at")
    return true
  }

  private func isPointer(_ path: String) throws(FileError) -> Bool {
    // Git LFS writes less than 1024 bytes, and nothing is opened that is larger.
    let status = try fileSystem.target(of: path)
    guard status.kind == .regular, status.identity.size < 1024 else { return false }
    let source = try FileSource(path, in: fileSystem)
    return foreignContent(try source.bytes(in: 0..<source.size), path: path)?.code == .gitLFSPointer
  }

  /// Adds a model unless all its files were met before.
  mutating func add(_ model: FoundModel) {
    var isNew = false
    for file in model.files {
      // A file that cannot be asked about is for its reader to complain of.
      let place = try? fileSystem.target(of: file).identity.place
      if place.map({ filesSeen.insert($0).inserted }) ?? true { isNew = true }
    }
    if isNew { found.append(model) }
  }

  mutating func note(_ note: String) { notes.append(note) }

  /// A file that was named is a model whatever it is called. Any shard stands for its set.
  private mutating func addNamed(_ path: String) {
    let folder = Path.folder(of: path)
    var files = [path]
    if let split = SplitName(fileName: Path.name(of: path)), let names = try? fileSystem.sortedNames(in: folder) {
      files = names.filter { SplitName(fileName: $0)?.name(of: 0) == split.name(of: 0) }.map { Path.joined(folder, $0) }
    }
    add(FoundModel(path: path, files: files, name: KnownFolder.hubName(of: folder)))
  }
}
