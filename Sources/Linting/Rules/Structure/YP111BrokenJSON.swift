import Bytes
import Diagnostics
import LosslessJSON

extension Rule {
  static let brokenJSON = Rule(
    "YP111", "repeated or broken JSON members", severity: "error",
    checks: """
      config.json, or one of the small files beside it, is not strict JSON: a trailing comma, a comment, an ellipsis \
      pasted from a model card, single quotes, Python's words. Or config.json states a member twice.
      """,
    why: """
      Parsers reject the file when the model is loaded. Of a member stated twice most keep the last without a word, so \
      one of the two values has no effect, and which one depends on the program.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 4.0},
       "rope_scaling": {"rope_type": "yarn", "factor": 2.0}}
      """,
    remedy: "Repair the named line. Of two members remove the one that is not meant.",
    exceptions: """
      Shard indexes, which YP701 covers. The fix removes the first of two members and is made only where both values are \
      the same; for broken syntax there is none, since what was meant is not certain.
      """,
    sources: ["RFC 8259", "Python json.loads"]
  ) { model in
    let broken = model.refusals.filter { refusal in
      let path = refusal.location.path
      return path.hasSuffix(".json") && !path.hasSuffix(".index.json") && isAboutText(refusal.code)
    }
    return broken.map { Finding(.error, ofText: $0, model.unreadTexts[$0.location.path]) }
      + model.unusable.flatMap { document in document.duplicates.map { repeated($0, in: document) } }
  }

  private static func isAboutText(_ code: FileError.Code) -> Bool {
    let others: [FileError.Code] = [.byteOrderMark, .gitLFSPointer, .html, "config-not-an-object"]
    return code.rawValue.hasPrefix("json-") && code != "json-duplicate-member" || others.contains(code)
  }

  private static func repeated(_ duplicate: JSONDuplicate, in document: JSONDocument) -> Finding {
    let (line, second) = (document.position(of: duplicate.first).line, document.position(of: duplicate.second).line)
    let lines = line == second ? "line \(line)" : "lines \(line) and \(second)"
    let tokens = JSONPointer.tokens(of: duplicate.pointer) ?? []
    let members = document[JSONPointer.joining(tokens.dropLast())]?.value.members ?? []
    func index(_ offset: Int) -> Int? { members.firstIndex { $0.keyRange.lowerBound == offset } }
    var fix: Fix?
    var isSame = false
    if let first = index(duplicate.first), let second = index(duplicate.second), second > first {
      isSame = members[first].node.firstDifference(from: members[second].node) == nil
      // From one key to the next: with it go its value, the comma and the space.
      let range = members[first].keyRange.lowerBound..<members[first + 1].keyRange.lowerBound
      let edit = ByteEdit(at: UInt64(range.lowerBound), expected: Array(document.bytes[range]), replacement: [])
      fix =
        isSame
        ? Fix(
          safety: .safe, description: "remove the first of the two",
          action: .edit(path: document.path, EditList([edit])))
        : nil
    }
    return Finding(
      .error,
      at: SourceLocation(path: document.path, byteOffset: UInt64(duplicate.second), key: duplicate.pointer),
      """
      `\((tokens.last ?? "").prefix(60))` is stated twice, on \(lines)\
      \(isSame ? " with the same value" : "; most readers keep the second without a word"). Remove one of them.
      """,
      expected: "each member once", actual: isSame ? "the same value twice" : "two values", fix: fix)
  }
}

extension Finding {
  /// Why a text does not parse, by the slip that its bytes show where that is a known one.
  fileprivate init(_ severity: Severity, ofText refusal: FileError, _ text: [UInt8]?) {
    self.init(severity, of: refusal)
    guard let text, let offset = refusal.location.byteOffset.flatMap({ Int(exactly: $0) }), offset <= text.count,
      let slip = Slip.allCases.first(where: { $0.stands(in: text, at: offset) })
    else { return }
    let place = TextPosition(of: offset, in: text)
    message = "Line \(place.line), column \(place.column): \(slip.rawValue)."
  }
}

/// What people write in JSON that JSON does not have.
private enum Slip: String, CaseIterable {
  case comma = "a comma stands before the closing bracket, which parsers reject. Remove the comma"
  case comment = "a comment, which JSON does not have. Remove it"
  case ellipsis = """
    an ellipsis, as model cards put it for members they leave out. Put the members in its place: add the shown ones to \
    the model's own config.json
    """
  case quotes = "a text in single quotes. Write double quotes"
  case python = "a word of Python. Write true, false or null"

  /// Whether the slip is the reason for an error at an offset.
  func stands(in text: [UInt8], at offset: Int) -> Bool {
    let rest = text[offset...]
    func starts(_ word: String) -> Bool { rest.starts(with: word.utf8) }
    switch self {
    case .comma:
      let before = text[..<offset].last { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
      return before == UInt8(ascii: ",") && (starts("}") || starts("]"))
    case .comment: return starts("//") || starts("/*") || starts("#")
    case .ellipsis: return starts("...") || starts("…")
    case .quotes: return starts("'")
    case .python: return starts("True") || starts("False") || starts("None")
    }
  }
}
