import Bytes
import Diagnostics

/// What stands in a file that a recorded change is about.
enum Condition {
  case old, changed
  /// As the change left it, or between the two; `gap` and `edits` lead to the old bytes.
  case new(EditList, Gap?)
}

extension UndoRecord.File {
  /// As below, for the file at a name that may have become a link, or a link no more.
  func condition(of source: FileSource, at target: Target, full: Bool) throws(FileError) -> Condition {
    let condition = try condition(of: source, full: full)
    switch (change, condition) {
    case (.replacedLink(let text), .old): return target.linkText == text || target.linkText == nil ? .old : .changed
    case (.replacedLink, _): return target.linkText == nil && target.place == source.path ? condition : .changed
    default: return target.isContentAddressed ? .changed : condition
    }
  }

  /// - Parameter full: Whether to compare all data with the record, where it says enough.
  func condition(of source: FileSource, full: Bool = false) throws(FileError) -> Condition {
    if let interim { return try condition(of: source, interim) }
    if source.size == oldSize, try isOld(source, full: full) { return .old }
    guard source.size == newSize, try source.holds(edits.inverse),
      try source.headerDigest(upTo: UndoRecord.headerEnd(of: edits.inverse)) == newHeader,
      try hasData(source, from: edits.inverse.extent.upperBound, full: full)
    else { return .changed }
    let old = PatchedSource(source, edits.inverse)
    switch change {
    case .replaced, .replacedLink: return .new(edits.inverse, nil)
    case .inPlace: return .new(try edits.byRegion(in: old).inverse, nil)
    case .inserted(let offset):
      let gap = try Gap(standingAt: offset, length: newSize - oldSize, in: source.file)
      return .new(try edits.byRegion(insertingAt: offset, in: old).inverse, gap)
    }
  }

  /// An interrupted change in place: wherever it stopped, the old bytes are those around the regions, and the recorded
  /// ones in them.
  private func condition(of source: FileSource, _ interim: UndoRecord.Interim) throws(FileError) -> Condition {
    var present: any ByteSource = source
    var gap: Gap?
    if let offset = change.insertionOffset {
      let recorded = Gap(offset: offset, length: newSize - oldSize, oldSize: oldSize, extents: interim.extents)
      if let place = try recorded.place(in: source.file) {
        let hole = ByteEdit(at: place, expected: try source.bytes(in: place..<place + recorded.length), replacement: [])
        present = PatchedSource(source, EditList([hole]))
      }
      gap = recorded
    }
    guard present.size == oldSize else { return .changed }
    if source.size == oldSize, try isOld(source, full: false) { return .old }
    var repairs: [ByteEdit] = []
    for (region, before) in zip(edits.regions(insertingAt: change.insertionOffset), interim.before) {
      repairs.append(
        ByteEdit(at: region.lowerBound, expected: try present.bytes(in: region), replacement: before))
    }
    let old = PatchedSource(present, EditList(repairs))
    guard try isOld(old, full: false) else { return .changed }
    return .new(try edits.byRegion(insertingAt: change.insertionOffset, in: old).inverse, gap)
  }

  private func isOld(_ source: any ByteSource, full: Bool) throws(FileError) -> Bool {
    guard try source.holds(edits), try source.headerDigest(upTo: UndoRecord.headerEnd(of: edits)) == oldHeader else {
      return false
    }
    return try hasData(source, from: edits.extent.upperBound, full: full)
  }

  private func hasData(_ source: any ByteSource, from start: UInt64, full: Bool) throws(FileError) -> Bool {
    if full, let rest { return try source.digest(of: start..<source.size) == rest }
    return try source.sampleDigest(from: start) == samples
  }
}
