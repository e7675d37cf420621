import Diagnostics

extension Transaction {
  /// The copies that processes which died, or are still at work, have left in a folder on the way to another name.
  ///
  /// - Parameter files: The names that they were to take; `nil` for all.
  package func leftovers(in folder: String, of files: [String]? = nil) -> [String] {
    let files = files.map { Set($0.map(Sibling.cut)) }
    let names = (try? fileSystem.sortedNames(in: folder)) ?? []
    return names.filter { name in Sibling.fileName(from: name).map { files?.contains($0) ?? true } ?? false }
      .map { Path.joined(folder, $0) }
  }

  /// Removes leftovers of the dead where no change waits for recovery: a lost copy of a model takes much room.
  ///
  /// The lock of the file that has the name keeps away whoever is at work on it. Where no file has the name a leftover may
  /// be all that there is of it, and stays.
  /// - Returns: The ones that stay for this reason.
  package func remove(leftovers: [String]) -> [String] {
    var kept: [String] = []
    for (folder, paths) in Dictionary(grouping: leftovers, by: Path.folder(of:)) {
      let names = (try? fileSystem.sortedNames(in: folder)) ?? []
      for path in paths {
        let wanted = Sibling.fileName(from: Path.name(of: path))
        let places = names.filter { Sibling.cut($0) == wanted }.map { Path.joined(folder, $0) }
        if let place = places.first(where: { (try? fileSystem.kind(at: $0)) == .regular }) {
          guard let file = try? FileSource(place, in: fileSystem), (try? file.file.lock()) == true else { continue }
          Sibling.removeStale(beside: place, in: fileSystem)
          withExtendedLifetime(file) {}
        } else if let sibling = Sibling.lock(path, in: fileSystem) {
          // A record is written from memory, and there is none without a change that is done or taken back.
          if wanted.map(UndoRecord.isOurs) ?? false { try? fileSystem.remove(path) } else { kept.append(path) }
          withExtendedLifetime(sibling) {}
        }
      }
    }
    return kept.sorted()
  }
}
