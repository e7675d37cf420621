import Bytes
import Diagnostics

/// What stands in a file that a recorded change is about.
enum Condition {
  case old, changed
  /// As the change left it, or between the two; the edits and the growth lead to the old bytes.
  case new(EditList, Growth?)
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
    // A shorter file than the record speaks of has no place for all its edits.
    guard source.size == newSize else { return .changed }
    let fingerprint = Fingerprint(source, after: edits)
    guard try source.holds(edits.inverse), try fingerprint.header() == newHeader, try hasData(fingerprint, full: full)
    else { return .changed }
    guard isOverwritten else { return .new(edits.inverse, nil) }
    let old = PatchedSource(source, edits.inverse)
    let gap = try change.insertionOffset.map { offset throws(FileError) in
      try Gap(standingAt: offset, length: gapLength, in: source.file, oldSize: oldSize)
    }
    return .new(try edits.byRegion(insertingAt: change.insertionOffset, in: old).inverse, growth(gap))
  }

  /// An interrupted change in place: wherever it stopped, the old bytes are those around the regions, and the recorded
  /// ones in them.
  private func condition(of source: FileSource, _ interim: UndoRecord.Interim) throws(FileError) -> Condition {
    guard source.size >= oldSize, source.size <= newSize else { return .changed }
    let growth = growth(
      change.insertionOffset.map { Gap(offset: $0, length: gapLength, oldSize: oldSize, extents: interim.extents) })
    let present = try source.without(growth)
    guard present.size == oldSize else { return .changed }
    if source.size == oldSize, try isOld(source, full: false) { return .old }
    var repairs: [ByteEdit] = []
    for (region, before) in zip(regions, interim.before) {
      repairs.append(ByteEdit(at: region.lowerBound, expected: try present.bytes(in: region), replacement: before))
    }
    let old = PatchedSource(present, EditList(repairs))
    guard try isOld(old, full: false) else { return .changed }
    return .new(try edits.byRegion(insertingAt: change.insertionOffset, in: old).inverse, growth)
  }

  private func isOld(_ source: any ByteSource, full: Bool) throws(FileError) -> Bool {
    let fingerprint = Fingerprint(source, before: edits)
    guard try source.holds(edits), try fingerprint.header() == oldHeader else { return false }
    return try hasData(fingerprint, full: full)
  }

  private func hasData(_ fingerprint: Fingerprint, full: Bool) throws(FileError) -> Bool {
    if full, let rest { return try fingerprint.wholeData() == rest }
    return try fingerprint.samples() == samples
  }

  /// Whether the change was made in the file itself.
  var isOverwritten: Bool {
    switch change {
    case .inPlace, .inserted: true
    case .replaced, .replacedLink: false
    }
  }

  /// See ``EditList/regions(ofFileOfSize:insertingAt:)``.
  var regions: [Range<UInt64>] { edits.regions(ofFileOfSize: oldSize, insertingAt: change.insertionOffset) }

  private var gapLength: UInt64 { newSize - oldSize - edits.appendedCount(to: oldSize) }

  /// `nil` for a change that keeps the length.
  private func growth(_ gap: Gap?) -> Growth? {
    newSize == oldSize ? nil : Growth(oldSize: oldSize, gap: gap, appended: edits.appendedCount(to: oldSize))
  }
}

extension FileSource {
  /// The file as if it had not grown, wherever that stopped.
  fileprivate func without(_ growth: Growth?) throws(FileError) -> any ByteSource {
    guard let growth else { return self }
    var removals: [ByteEdit] = []
    if let gap = growth.gap, let place = try gap.place(in: file) {
      removals.append(
        ByteEdit(at: place, expected: try bytes(in: place..<place + gap.length), replacement: []))
    }
    if size > growth.innerSize {
      removals.append(
        ByteEdit(at: growth.innerSize, expected: try bytes(in: growth.innerSize..<size), replacement: []))
    }
    return PatchedSource(self, EditList(removals))
  }
}
