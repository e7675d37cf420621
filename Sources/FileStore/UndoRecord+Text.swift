import Bytes
import Diagnostics

// The file, line by line. Names are percent-encoded, bytes hexadecimal, `-` stands for no bytes. There is one way only
// to write a record, and the last line is the digest of all others, so a record that was cut or altered is recognised.
//
//   yarn-patch undo record 1
//   step=done                          pending | done | undoing
//   tool=yarn-patch%201.0
//   file=model.gguf
//   change=in-place                    in-place | inserted:OFFSET | replaced | link:TEXT
//   sizes=4096 4096                    old, new
//   mode=644                           octal
//   headers=DIGEST DIGEST              old, new
//   data=DIGEST -                      samples of the data; all of it, or -
//   edit=120 0a0b -                    offset, old bytes, new bytes
//   before=0a0b                        unless done: old bytes of each region that is rewritten
//   extents=4096:81920:65536 …         unless done: offset in the file, on the device, length, behind the inserted blocks
//   end=DIGEST

extension UndoRecord {
  private static let title = "yarn-patch undo record "

  /// The record as the file's bytes.
  package var text: [UInt8] {
    var text = "\(Self.title)1\n"
    for step in steps {
      text += "step=\(step.state.rawValue)\ntool=\(step.tool.percentEncoded)\n"
      for file in step.files { text += file.lines }
    }
    return Array("\(text)end=\(SHA256.hexadecimal(of: text.utf8))\n".utf8)
  }

  /// - Throws: `damagedRecord` for anything that ``text`` would not give, `unknownRecordVersion` for a later format.
  package init(text: [UInt8], path: String) throws(FileError) {
    var lines = RecordLines(text)
    guard let title = lines.next(), title.hasPrefix(Self.title), let version = Int(title.dropFirst(Self.title.count))
    else { throw .damagedRecord(path, "it has no title line") }
    guard version == 1 else {
      throw FileError(
        .unknownRecordVersion, at: SourceLocation(path: path), found: "the undo record has version \(version)",
        expected: "version 1", remedy: "undo with the version of yarn-patch that made the change")
    }
    var steps: [Step] = []
    while let step = Step(&lines) { steps.append(step) }
    self.steps = steps
    // Writing it again compares the digest, the order of lines and each line's form at once.
    guard !steps.isEmpty, steps.dropLast().allSatisfy({ $0.state == .done }), self.text == text else {
      throw .damagedRecord(path, "its lines do not fit together")
    }
  }
}

extension UndoRecord.Step {
  fileprivate init?(_ lines: inout RecordLines) {
    guard let state = lines.next("step").flatMap(State.init), let tool = lines.next("tool")?.percentDecoded else {
      return nil
    }
    var files: [UndoRecord.File] = []
    while let path = lines.next("file")?.percentDecoded {
      guard let file = UndoRecord.File(path, &lines, isDone: state == .done) else { return nil }
      files.append(file)
    }
    guard !files.isEmpty else { return nil }
    self.init(state: state, tool: tool, files: files)
  }
}

extension UndoRecord.File {
  fileprivate var lines: String {
    let change =
      switch self.change {
      case .inPlace: "in-place"
      case .inserted(let offset): "inserted:\(offset)"
      case .replaced: "replaced"
      case .replacedLink(let text): "link:\(text.percentEncoded)"
      }
    let head = """
      file=\(path.percentEncoded)
      change=\(change)
      sizes=\(oldSize) \(newSize)
      mode=\(String(mode, radix: 8))
      headers=\(oldHeader) \(newHeader)
      data=\(samples) \(rest ?? "-")

      """
    let lines = edits.edits.reduce(into: head) { lines, edit in
      lines += "edit=\(edit.offset) \(edit.expected.hexadecimal) \(edit.replacement.hexadecimal)\n"
    }
    return lines + (interim?.lines ?? "")
  }

  fileprivate init?(_ path: String, _ lines: inout RecordLines, isDone: Bool) {
    // A record cannot send us out of its folder. Asked of the bytes, as the system does.
    guard !["", ".", ".."].contains(path), !path.utf8.contains(UInt8(ascii: "/")), !path.utf8.contains(0),
      let change = lines.next("change").flatMap(UndoRecord.Change.init(text:)),
      let sizes = lines.next("sizes")?.split(separator: " ").map({ UInt64($0) }), sizes.count == 2,
      let oldSize = sizes[0], let newSize = sizes[1],
      let mode = lines.next("mode").flatMap({ UInt32($0, radix: 8) }), mode <= 0o7777,
      let headers = lines.next("headers")?.split(separator: " ").map(String.init), headers.count == 2,
      let data = lines.next("data")?.split(separator: " ").map(String.init), data.count == 2
    else { return nil }
    // Below 2^62 no sum of a size and edits that are in memory can overflow; no file is that long.
    guard oldSize < 1 << 62 else { return nil }
    var edits: [ByteEdit] = []
    var (end, size) = (0 as UInt64, Int64(oldSize))
    while let line = lines.next("edit") {
      // Ascending and inside the file, or it would be no list of edits.
      guard let edit = ByteEdit(text: line), edit.offset >= end, edit.offset <= oldSize,
        UInt64(edit.expected.count) <= oldSize - edit.offset, edit.expected != edit.replacement
      else { return nil }
      end = edit.end
      size += edit.sizeChange
      edits.append(edit)
    }
    guard !edits.isEmpty, UInt64(exactly: size) == newSize else { return nil }
    self.init(
      path: path, change: change, oldSize: oldSize, newSize: newSize, mode: mode, edits: EditList(edits),
      oldHeader: headers[0], newHeader: headers[1], samples: data[0], rest: data[1] == "-" ? nil : data[1])
    switch change {
    case .inPlace: guard self.edits.innerChange(ofFileOfSize: oldSize) == 0 else { return nil }
    case .inserted(let offset):
      guard let end = self.edits.insertionOffset(ofFileOfSize: oldSize, blockSize: 1), offset <= end else { return nil }
    case .replaced, .replacedLink: return
    }
    // Whole regions are read into memory.
    guard self.edits.fitsInPlace(ofFileOfSize: oldSize, insertingAt: change.insertionOffset) else { return nil }
    guard !isDone else { return }
    interim = UndoRecord.Interim(&lines, regions: regions)
    if interim == nil { return nil }
  }
}

extension UndoRecord.Interim {
  fileprivate var lines: String {
    let before = before.map { "before=\($0.hexadecimal)\n" }.joined()
    let extents = extents.map { "\($0.logical):\($0.physical):\($0.length)" }.joined(separator: " ")
    return extents.isEmpty ? before : "\(before)extents=\(extents)\n"
  }

  fileprivate init?(_ lines: inout RecordLines, regions: [Range<UInt64>]) {
    var before: [[UInt8]] = []
    while let line = lines.next("before") {
      guard let bytes = [UInt8](hexadecimal: line[...]) else { return nil }
      before.append(bytes)
    }
    guard before.map({ UInt64($0.count) }) == regions.map({ $0.upperBound - $0.lowerBound }) else { return nil }
    var extents: [Extent] = []
    for text in lines.next("extents")?.split(separator: " ") ?? [] {
      // As above, no sum of such numbers can overflow.
      let numbers = text.split(separator: ":").compactMap { UInt64($0) }.filter { $0 < 1 << 61 }
      guard numbers.count == 3, extents.last.map({ $0.logical + $0.length <= numbers[0] }) ?? true else { return nil }
      extents.append(Extent(logical: numbers[0], physical: numbers[1], length: numbers[2]))
    }
    self.init(before: before, extents: extents)
  }
}

extension UndoRecord.Change {
  fileprivate init?(text: String) {
    switch text {
    case "in-place": self = .inPlace
    case "replaced": self = .replaced
    default:
      if text.hasPrefix("inserted:"), let offset = UInt64(text.dropFirst(9)) {
        self = .inserted(at: offset)
      } else if text.hasPrefix("link:"), let link = String(text.dropFirst(5)).percentDecoded {
        self = .replacedLink(link)
      } else {
        return nil
      }
    }
  }

  /// See ``inserted(at:)``.
  var insertionOffset: UInt64? {
    if case .inserted(let offset) = self { offset } else { nil }
  }
}

extension ByteEdit {
  fileprivate init?(text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 3, let offset = UInt64(parts[0]), let old = [UInt8](hexadecimal: parts[1]),
      let new = [UInt8](hexadecimal: parts[2])
    else { return nil }
    self.init(at: offset, expected: old, replacement: new)
  }
}

/// The lines that are still to be read.
private struct RecordLines {
  private var lines: ArraySlice<ArraySlice<UInt8>>

  init(_ text: [UInt8]) { lines = text.split(separator: UInt8(ascii: "\n"))[...] }

  mutating func next() -> String? { lines.popFirst().flatMap { String(validating: $0, as: UTF8.self) } }

  /// The value of the next line when it has this key; otherwise the line stays.
  mutating func next(_ key: String) -> String? {
    guard lines.first?.starts(with: "\(key)=".utf8) == true else { return nil }
    return next().map { String($0.dropFirst(key.count + 1)) }
  }
}

extension FileError.Code {
  /// The undo record is not as it was written.
  package static let damagedRecord: Self = "damaged-undo-record"
  /// The undo record was written by a later version.
  package static let unknownRecordVersion: Self = "unknown-undo-record-version"
}

extension FileError {
  static func damagedRecord(_ path: String, _ finding: String) -> FileError {
    FileError(
      .damagedRecord, at: SourceLocation(path: path), found: "the undo record is damaged: \(finding)",
      expected: "a record as yarn-patch wrote it", remedy: "move the record away; the change cannot be undone with it")
  }
}
