import Diagnostics
import FileStore
import GGUF

/// What yarn-patch may have put beside a model's files. Links are followed: a record stands beside the file that a change
/// has changed, and every name of the file leads there.
struct Surroundings {
  /// The undo records that are there, the nearest first.
  let records: [String]
  private let isFolder: Bool
  private let path: String
  /// The model's file, or those files of its folder that links lead to.
  private let files: [String]

  /// - Parameter path: A model's file or folder, which may not exist.
  init(of path: String, in fileSystem: any FileSystem) {
    self.path = path
    isFolder = (try? fileSystem.kind(at: path)) == .folder
    var places: [String]
    if isFolder {
      let entries = ((try? fileSystem.entries(at: path)) ?? []).sorted { Path.precedes($0.name, $1.name) }
      files = entries.filter { ModelFileName($0.name) != nil && [.symbolicLink, nil].contains($0.kind) }
        .compactMap { Self.otherPlace(of: Path.joined(path, $0.name), in: fileSystem) }
      places = [UndoRecord.path(forFolder: path)]
      places += UndoRecord.files(patchedIn: path, entries.map(\.name)).map(UndoRecord.path(forFile:))
      places += files.flatMap { UndoRecord.candidates(forFile: $0) }
    } else {
      let named = UndoRecord.files(changedAs: path)
      files = named + named.compactMap { Self.otherPlace(of: $0, in: fileSystem) }
      places = files.flatMap { UndoRecord.candidates(forFile: $0) }
    }
    // One record may be found by several names.
    var seen: Set<FilePlace> = []
    records = places.filter { place in
      guard let status = try? fileSystem.status(at: place, followingLinks: false) else { return false }
      return seen.insert(status.identity.place).inserted
    }
  }

  /// Copies on their way to the name of one of the files, or of their records.
  func leftovers(_ transaction: Transaction) -> [String] {
    var all = isFolder ? transaction.leftovers(in: path) : []
    for file in files {
      let folder = Path.folder(of: file)
      let names = [file, UndoRecord.path(forFile: file), UndoRecord.path(forFolder: folder)].map(Path.name(of:))
      all += transaction.leftovers(in: folder, of: names)
    }
    var seen: Set<String> = []
    return all.filter { seen.insert($0).inserted }
  }

  private static func otherPlace(of path: String, in fileSystem: any FileSystem) -> String? {
    guard let place = try? fileSystem.changedPlace(of: path), place != path else { return nil }
    return place
  }
}

extension UndoRecord {
  /// The files one of which a patch changes that names this one: a patch named by a shard or by the weights changes the
  /// file that states the window.
  fileprivate static func files(changedAs path: String) -> [String] {
    let folder = Path.folder(of: path)
    var files = [path]
    if let split = SplitName(fileName: Path.name(of: path)) { files.append(Path.joined(folder, split.name(of: 0))) }
    if [".safetensors", ".index.json"].contains(where: path.hasSuffix) {
      files.append(Path.joined(folder, "config.json"))
    }
    return files
  }

  /// Where the record of a patch may stand that changed a file, the nearest first.
  static func candidates(forFile path: String) -> [String] {
    files(changedAs: path).map(Self.path(forFile:)) + [Self.path(forFolder: Path.folder(of: path))]
  }

  /// Where the record of a change goes: beside the model, or beside the files that its links lead to.
  ///
  /// - Parameters:
  ///   - model: The model's folder, or the file that states the window.
  ///   - paths: The files that change.
  /// - Throws: `outsideRecordFolder` when the changed files stand in several folders.
  static func path(for model: String, changing paths: [String], in fileSystem: any FileSystem) throws(FileError)
    -> String
  {
    let isFolder = try fileSystem.kind(at: model) == .folder
    var places: [String] = []
    for path in paths { places.append(try fileSystem.changedPlace(of: path)) }
    guard isFolder, let first = places.first else {
      return isFolder ? Self.path(forFolder: model) : Self.path(forFile: try fileSystem.changedPlace(of: model))
    }
    let home = try fileSystem.real(Path.folder(of: first))
    for (path, place) in zip(paths, places) where try fileSystem.real(Path.folder(of: place)) != home {
      throw .outsideRecordFolder(path, leadingTo: place, home)
    }
    if try home == fileSystem.real(model) { return Self.path(forFolder: model) }
    return places.count == 1 ? Self.path(forFile: first) : Self.path(forFolder: home)
  }
}
