import Diagnostics
import FileStore

extension FileError.Code {
  package static let badSeries: Self = "bad-series"
}

/// What somebody measured of a model by length under several settings, such as perplexity.
///
/// ```
/// # who measured it, with what              lines of comment, kept as the origin
/// setting,length,bits per byte              the last name says what was measured
/// as trained,128,1.782
/// "YaRN ×2, from 256",128,1.834
/// ```
public struct MeasuredSeries: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    public var setting: String
    /// In tokens.
    public var length: Int
    public var value: Double
  }

  /// Lines of comment.
  public var origin: [String] = []
  /// Name of the third column.
  public var measure = ""
  public var points: [Point] = []

  /// The settings in the order of their first points.
  public var settings: [String] { points.map(\.setting).uniqued() }

  /// A page shows no more.
  static let largestCount = 10_000

  /// - Throws: `bad-series` with the line that is no comment, name or measurement.
  public init(_ text: String, path: String) throws(FileError) {
    var isHeaded = false
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if line.allSatisfy(\.isWhitespace) { continue }
      func refuse(_ found: String, _ expected: String) -> FileError {
        FileError(
          .badSeries, at: SourceLocation(path: path, key: "line \(index + 1)"), found: found, expected: expected,
          remedy: "write one measurement to a line: as trained,256,1.802")
      }
      if line.hasPrefix("#") {
        origin.append(String(line.drop { $0 == "#" || $0.isWhitespace }))
        continue
      }
      let fields = Self.fields(line)
      guard fields.count == 3 else { throw refuse("\(fields.count) fields", "a setting, a length and a value") }
      guard isHeaded else {
        guard Double(fields[2]) == nil else { throw refuse("no names of columns", "setting,length, and the measure") }
        (measure, isHeaded) = (fields[2], true)
        continue
      }
      guard let length = Int(fields[1]), length > 0 else {
        throw refuse("the length is \(fields[1])", "a whole number of tokens, at least 1")
      }
      guard let value = Double(fields[2]), value.isFinite else {
        throw refuse("the value is \(fields[2])", "a finite number")
      }
      guard points.count < Self.largestCount else {
        throw refuse("more than \(Self.largestCount) measurements", "at most as many")
      }
      points.append(Point(setting: fields[0], length: length, value: value))
    }
    guard !points.isEmpty else {
      throw FileError(
        .badSeries, at: SourceLocation(path: path), found: "no measurement", expected: "at least one",
        remedy: "begin with setting,length,perplexity and write one measurement to a line")
    }
  }

  /// The fields of a line, where quotes may hold commas and doubled quotes.
  private static func fields(_ line: Substring) -> [String] {
    var fields = [""]
    var isQuoted = false
    var last: Character?
    for character in line {
      switch character {
      case "\"":
        if !isQuoted, last == "\"" { fields[fields.count - 1].append("\"") }
        isQuoted.toggle()
      case ",": if isQuoted { fields[fields.count - 1].append(",") } else { fields.append("") }
      default: fields[fields.count - 1].append(character)
      }
      last = character
    }
    return fields.map { String($0.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
  }
}

extension MeasuredSeries {
  /// Larger files are no list of measurements.
  private static let largestSize: UInt64 = 1 << 20

  init(reading path: String, in fileSystem: any FileSystem) throws(FileError) {
    let source = try FileSource(path, in: fileSystem)
    guard source.size <= Self.largestSize else {
      throw FileError(
        .badSeries, at: SourceLocation(path: path), found: "\(source.size) bytes",
        expected: "at most \(Self.largestSize)", remedy: "name a file with one measurement to a line")
    }
    self = try MeasuredSeries(String(decoding: source.bytes(in: 0..<source.size), as: UTF8.self), path: path)
  }
}
