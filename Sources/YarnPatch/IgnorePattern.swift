/// One line of a `.gitignore`, read as git 2.39 reads it (`dir.c`, `wildmatch.c`; gitignore(5)).
///
/// Where git differs from its own documentation, this follows the latter: stars that do not stand between slashes are one
/// star, also after a name without wildcards (git reads `a**/b` as `ab` too).
/// Everything is bytes: git compares names without knowing their encoding.
struct IgnorePattern {
  /// Whether a match takes back what an earlier line said.
  let isNegated: Bool
  private let isForFolders: Bool
  /// Whether the pattern speaks of the path from its folder on, and not of the last name alone.
  private let isAnchored: Bool
  private let segments: [Segment]

  private enum Segment {
    /// `**`: any number of folders.
    case folders
    case name([Token])
  }

  private enum Token {
    /// `*`, or several in a name.
    case run
    case any
    case byte(UInt8)
    case set(Set<UInt8>)
  }

  /// A longer name does not exist, so that a pattern need not be tried that asks for one.
  private static let longestName = 255

  /// `nil` for a comment, an empty line, and a pattern that git cannot match with anything.
  init?(line: ArraySlice<UInt8>) {
    var text = Self.withoutTrailingSpaces(line)
    guard let first = text.first, first != UInt8(ascii: "#") else { return nil }
    isNegated = first == UInt8(ascii: "!")
    if isNegated { text.removeFirst() }
    isForFolders = text.last == Self.slash
    if isForFolders { text.removeLast() }
    isAnchored = text.contains(Self.slash)
    if text.first == Self.slash { text.removeFirst() }
    guard let segments = Self.segments(of: text) else { return nil }
    self.segments = segments
  }

  /// - Parameter path: Names from below the pattern's folder on, the last being the one asked about.
  func matches(_ path: ArraySlice<[UInt8]>, isFolder: Bool) -> Bool {
    if isForFolders, !isFolder { return false }
    return Self.fits(isAnchored ? path : path.suffix(1), segments) { segment, name in
      switch segment {
      case .folders: nil
      case .name(let tokens): Self.fits(name[...], tokens, Self.accepts)
      }
    }
  }

  private static func accepts(_ token: Token, _ byte: UInt8) -> Bool? {
    switch token {
    case .run: nil
    case .any: true
    case .byte(let wanted): wanted == byte
    case .set(let set): set.contains(byte)
    }
  }

  /// Whether a pattern fits a whole text. `accepts` says whether a part fits one element, `nil` for any number of them.
  ///
  /// Only the last run met is ever widened, which is enough, so a text of n and a pattern of m take at most n·m steps.
  private static func fits<Element, Part>(
    _ text: ArraySlice<Element>, _ pattern: [Part], _ accepts: (Part, Element) -> Bool?
  ) -> Bool {
    var (t, p) = (text.startIndex, 0)
    var run: (t: Int, p: Int)?
    while t < text.endIndex {
      let verdict = p < pattern.count ? accepts(pattern[p], text[t]) : false
      if verdict == nil {
        p += 1
        run = (t, p)
      } else if verdict == true {
        (t, p) = (t + 1, p + 1)
      } else if let last = run {
        run = (last.t + 1, last.p)
        (t, p) = (last.t + 1, last.p)
      } else {
        return false
      }
    }
    // What is left may only be runs, which the last element tells from the rest; an empty text has none.
    guard let last = text.last else { return pattern.isEmpty }
    return pattern[p...].allSatisfy { accepts($0, last) == nil }
  }
}

// MARK: reading

extension IgnorePattern {
  private static let slash = UInt8(ascii: "/")

  /// Spaces at the end do not count unless a backslash stands before them.
  private static func withoutTrailingSpaces(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var (end, index) = (line.startIndex, line.startIndex)
    while index < line.endIndex {
      let byte = line[index]
      index += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte != UInt8(ascii: " ") { end = min(index, line.endIndex) }
    }
    return line[..<end]
  }

  private static func segments(of text: ArraySlice<UInt8>) -> [Segment]? {
    var segments: [Segment] = []
    var tokens: [Token] = []
    var (starCount, otherCount) = (0, 0)
    func segment() -> Segment { starCount > 1 && otherCount == 0 ? .folders : .name(tokens) }
    var rest = text
    while let byte = rest.popFirst() {
      var byte = byte
      let isEscaped = byte == UInt8(ascii: "\\")
      if isEscaped {
        guard let next = rest.popFirst() else { return nil }
        byte = next
      }
      switch byte {
      case slash:
        segments.append(segment())
        (tokens, starCount, otherCount) = ([], 0, 0)
        continue
      case UInt8(ascii: "*") where !isEscaped:
        if case .run = tokens.last {} else { tokens.append(.run) }
        starCount += 1
        continue
      case UInt8(ascii: "?") where !isEscaped: tokens.append(.any)
      case UInt8(ascii: "[") where !isEscaped:
        guard let set = ByteSet.read(&rest) else { return nil }
        tokens.append(.set(set))
      default: tokens.append(.byte(byte))
      }
      otherCount += 1
      if otherCount > longestName { return nil }
    }
    segments.append(segment())
    // What stands in a folder is meant by `folder/**`, not the folder.
    if case .folders = segments.last { segments.append(.name([.run])) }
    return segments
  }
}

/// The bytes that a bracket expression stands for.
private enum ByteSet {
  /// Reads on behind the opening bracket.
  ///
  /// - Returns: `nil` when it is not closed, or names a class that does not exist.
  static func read(_ rest: inout ArraySlice<UInt8>) -> Set<UInt8>? {
    let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
    if isNegated { rest.removeFirst() }
    var set: Set<UInt8> = []
    var previous: UInt8?
    var isFirst = true
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "]"), !isFirst {
        return isNegated ? Set(UInt8.min...UInt8.max).subtracting(set) : set
      }
      isFirst = false
      if byte == UInt8(ascii: "-"), let start = previous, let next = rest.first, next != UInt8(ascii: "]") {
        rest.removeFirst()
        guard let end = next == UInt8(ascii: "\\") ? rest.popFirst() : next else { return nil }
        if start <= end { set.formUnion(start...end) }
        previous = nil
      } else if byte == UInt8(ascii: "["), rest.first == UInt8(ascii: ":") {
        guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let name = rest[..<close].dropFirst()
        if name.last == UInt8(ascii: ":") {
          guard let contains = classes[String(decoding: name.dropLast(), as: UTF8.self)] else { return nil }
          set.formUnion((UInt8.min...0x7f).filter(contains))
          rest = rest[(close + 1)...]
          previous = nil
        } else {
          set.insert(byte)
          previous = byte
        }
      } else {
        guard let member = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte else { return nil }
        set.insert(member)
        previous = member
      }
    }
    return nil
  }

  private static let classes: [String: @Sendable (UInt8) -> Bool] = [
    "alnum": { isLetter($0) || isDigit($0) }, "alpha": { isLetter($0) }, "blank": { $0 == 0x20 || $0 == 0x09 },
    "cntrl": { $0 < 0x20 || $0 == 0x7f }, "digit": { isDigit($0) }, "graph": { isVisible($0) },
    "lower": { isLetter($0) && $0 & 0x20 != 0 }, "print": { isVisible($0) || $0 == 0x20 },
    "punct": { isVisible($0) && !isLetter($0) && !isDigit($0) }, "space": { $0 == 0x20 || (0x09...0x0d).contains($0) },
    "upper": { isLetter($0) && $0 & 0x20 == 0 },
    "xdigit": { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) },
  ]

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }
}
