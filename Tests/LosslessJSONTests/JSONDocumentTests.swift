import Diagnostics
import LosslessJSON
import TestSupport
import Testing

@Suite struct JSONDocumentTests {
  static func document(_ text: String) throws(FileError) -> JSONDocument {
    try JSONDocument(Array(text.utf8), path: "config.json")
  }

  @Test func `values keep their spelling and their place`() throws {
    let text = #"{"a": 1e-05, "b": [true, null, "x\n"], "c": {"d": 32768.0}}"#
    let document = try Self.document(text)
    #expect(document["/a"]?.value.number?.text == "1e-05")
    #expect(document["/b/0"]?.value.bool == true)
    #expect(document["/b/1"]?.value.isNull == true)
    #expect(document["/b/2"]?.value.string == "x\n")
    #expect(document["/c/d"]?.value.number?.integer == 32768)
    #expect(document["/c"].map { String(decoding: document.bytes[$0.range], as: UTF8.self) } == #"{"d": 32768.0}"#)
    #expect(document.root.value.members?.map { document.bytes[$0.keyRange].count } == [3, 3, 3])
    #expect(document.disagreements == [])
  }

  @Test(
    arguments: [
      ("", "0"), ("/foo", "1"), ("/foo/0", "2"), ("/", "3"), ("/a~1b", "4"), ("/m~0n", "5"), ("/~01", "6"),
      ("/\u{301}x", "7"),
      ("/é", "8"), ("/e\u{301}", "9"), ("foo", nil), ("/foo/00", nil), ("/foo/2", nil), ("/foo/-", nil),
      ("/foo/+0", nil),
      ("/foo/", nil), ("/a~2b", nil), ("/a~", nil), ("/none", nil), ("/m~0n/x", nil),
      ("/foo/99999999999999999999", nil),
    ] as [(String, String?)])
  func `pointers lead where RFC 6901 says`(_ pointer: String, _ expected: String?) throws {
    let text =
      #"{"foo": ["2", "x"], "": "3", "a/b": "4", "m~n": "5", "~1": "6", "\#u{301}x": "7", "\#u{e9}": "8", "e\#u{301}": "9"}"#
    let node = try Self.document(text)[pointer]
    switch expected {
    case "0": #expect(node?.value.members?.count == 8)
    case "1": #expect(node?.value.elements?.count == 2)
    default: #expect(node?.value.string == expected)
    }
  }

  @Test func `pointers are made so that they lead back`() {
    for tokens in [[], [""], ["a/b", "~1", "~"], ["\u{301}", "0"]] {
      #expect(JSONPointer.tokens(of: JSONPointer.joining(tokens)) == tokens)
    }
    #expect(JSONPointer.child("x/y", of: "/a") == "/a/x~1y")
  }

  @Test(
    arguments: [
      ("1", 1, true), ("-0", 0, true), ("32768.0", 32768, false), ("1e6", 1_000_000, false), ("10.50e1", 105, false),
      ("100e-2", 1, false), ("1.5", nil, false), ("0.0e999999999999999999999", nil, false), ("0e5", 0, false),
      ("9007199254740993.0", 9_007_199_254_740_993, false), ("9223372036854775807", Int.max, true),
      ("-9223372036854775808.0", Int.min, false), ("9223372036854775808", nil, true), ("1e19", nil, false),
      ("1e400", nil, false), ("1e-9223372036854775808", nil, false), ("1.5e-9223372036854775808", nil, false),
      ("0.99999999999999999999", nil, false), ("NaN", nil, false), ("-Infinity", nil, false),
    ] as [(String, Int?, Bool)])
  func `integers are exact however they are spelled`(_ text: String, _ value: Int?, _ isInteger: Bool) throws {
    let number = try #require(try Self.document(text).root.value.number)
    #expect(number.integer == value)
    #expect(number.isInteger == isInteger)
  }

  @Test func `doubles are the nearest ones`() throws {
    #expect(try Self.document("0.1").root.value.number?.double == 0.1)
    #expect(try Self.document("1e400").root.value.number?.double == .infinity)
    #expect(try Self.document("-Infinity").root.value.number?.double == -.infinity)
    #expect(try Self.document("NaN").root.value.number?.double.isNaN == true)
  }

  @Test func `bare numbers are accepted and recorded`() throws {
    let document = try Self.document(#"{"a": [0.0, Infinity], "b": NaN, "c": -Infinity, "d": "NaN"}"#)
    #expect(document.bareNumbers == ["/a/1", "/b", "/c"])
    #expect(document.disagreements == [])
  }

  @Test func `duplicate keys are listed and the last one counts`() throws {
    let document = try Self.document(#"{"a": 1, "x": {"k": 1, "k": 2, "\u006b": 3}, "a": 4}"#)
    #expect(document.duplicates.map(\.pointer) == ["/x/k", "/x/k", "/a"])
    #expect(document.duplicates.map { [$0.first, $0.second] } == [[15, 23], [23, 31], [1, 45]])
    #expect(document["/a"]?.value.number?.integer == 4)
    #expect(document["/x/k"]?.value.number?.integer == 3)
    #expect(document.disagreements == [])
  }

  @Test(arguments: [1, 2, 11, 12, 13, 14, 40]) func `a key is found again however many stand between`(_ count: Int)
    throws
  {
    let keys = (0..<count).map { "\"k\($0)\":0" }
    let text = "{" + (keys + keys.reversed()).joined(separator: ",") + "}"
    let document = try Self.document(text)
    #expect(document.duplicates.map(\.pointer) == (0..<count).reversed().map { "/k\($0)" })
    for duplicate in document.duplicates {
      let key = Array("\"\(duplicate.pointer.dropFirst())\":".utf8)
      for place in [duplicate.first, duplicate.second] { #expect(document.bytes[place...].starts(with: key)) }
      #expect(duplicate.first < duplicate.second)
    }
    #expect(document.disagreements == [])
  }

  @Test func `of three equal keys each is told with the one before it`() throws {
    let others = (0..<12).map { "\"\($0)\":0," }.joined()
    for text in ["{\"a\":1,\"a\":2,\(others)\"a\":3}", "{\(others)\"a\":1,\"a\":2,\"a\":3}"] {
      let duplicates = try Self.document(text).duplicates
      #expect(duplicates.count == 2 && duplicates[0].second == duplicates[1].first)
    }
  }

  @Test(arguments: [0, 1, 499, 500, 3000]) func `each key leads to its value however many there are`(_ count: Int)
    throws
  {
    let special = #""\u006c\n": "escaped", "\#u{e9}": "composed", "e\#u{301}": "decomposed""#
    let text = "{" + (0..<count).map { "\"k\($0)\":\($0)," }.joined() + special + "}"
    let document = try Self.document(text)
    for index in 0..<count { #expect(document["/k\(index)"]?.value.number?.integer == index) }
    #expect(document["/l\n"]?.value.string == "escaped")
    #expect(document["/\u{e9}"]?.value.string == "composed")
    #expect(document["/e\u{301}"]?.value.string == "decomposed")
    for absent in ["/k\(count)", "/", #"/\u006c\n"#, "/l"] { #expect(document[absent] == nil) }
    #expect(document.duplicates == [] && document.disagreements == [])
  }

  @Test func `remarks come in the order of the text with their pointers, also from inside containers`() throws {
    let text = #"{"a": [[NaN, 1], {"b": {"c": 1, "d~": NaN, "c": 2}}, NaN], "e": {}, "a": [{"f": NaN, "f": 0}]}"#
    let document = try Self.document(text)
    #expect(document.bareNumbers == ["/a/0/0", "/a/1/b/d~0", "/a/2", "/a/0/f"])
    #expect(document.duplicates.map(\.pointer) == ["/a/1/b/c", "/a", "/a/0/f"])
    #expect(try Self.document("-Infinity").bareNumbers == [""])
  }

  @Test func `composed and decomposed keys are two keys`() throws {
    let document = try Self.document("{\"\u{e9}\": 1, \"e\u{301}\": 2}")
    #expect(document.duplicates == [])
    #expect(document.disagreements == [])
  }

  @Test(arguments: [
    ("123456789012345678901234567890", "18446744073709551615"), ("18446744073709551616", "18446744073709551615"),
    ("-9223372036854775809", "-9223372036854775808"),
  ])
  func `integers that json-c saturates are disagreements`(_ number: String, _ theirs: String) throws {
    let document = try Self.document("{\"a\": [1, \(number)]}")
    #expect(document.disagreements.map { [$0.pointer, $0.ours, $0.theirs] } == [["/a/1", number, theirs]])
    let error = refusal { () throws(FileError) in try JSONEditor(document) }
    #expect(error?.code == .jsonDisagreement)
    #expect(error?.location == SourceLocation(path: "config.json", byteOffset: 10, key: "/a/1"))
  }

  @Test(arguments: [
    "18446744073709551615", "-9223372036854775808", "9223372036854775808", "-0", "-0.0", "1e400", "5e-324", "1E5", "[]",
    "null",
    #""\ud83d\ude00\u00e9\n""#, #"{"":{}}"#, "2.2250738585072011e-308", "0.1000000000000000055511151231257827",
  ])
  func `json-c agrees on unusual but clear values`(_ text: String) throws {
    #expect(try Self.document(text).disagreements == [])
  }

  /// What json-c's strict mode lets through is refused before it is asked.
  @Test(arguments: [
    (#"{'a': 1}"#, "json-syntax"), ("[1.]", "json-number"), ("[\"a\nb\"]", "json-control-character"),
    (#"["\ud800"]"#, "json-escape"), (#"{"a\u0000b": 1}"#, "json-nul"), (#"["\u0000"]"#, "json-nul"),
    ("[\"\u{9}\"]", "json-control-character"),
  ])
  func `leniencies of json-c are caught`(_ text: String, _ code: String) {
    #expect(refusal { () throws(FileError) in try Self.document(text) }?.code.rawValue == code)
  }

  @Test(
    arguments: [
      ([], "json-empty"), (Array(" \r\n".utf8), "json-empty"),
      ([0xef, 0xbb, 0xbf] + Array("{}".utf8), "byte-order-mark"),
      ([0xff, 0xfe, 0x7b, 0], "byte-order-mark"),
      (Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "git-lfs-pointer"),
      (Array("\n<!DOCTYPE html>".utf8), "html"), (Array("<HTML lang=en>".utf8), "html"),
      (Array("<xml>".utf8), "json-syntax"),
    ] as [([UInt8], String)])
  func `files that are no JSON at all are named for what they are`(_ bytes: [UInt8], _ code: String) {
    let error = refusal { () throws(FileError) in try JSONDocument(bytes, path: "config.json") }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.byteOffset == 0)
    #expect(error?.remedy.isEmpty == false)
  }

  @Test func `the size is limited and the limit is named`() {
    let bytes = [UInt8](repeating: 0x20, count: JSONDocument.maximumSize + 1)
    let error = refusal { () throws(FileError) in try JSONDocument(bytes, path: "config.json") }
    #expect(error?.code == .jsonTooLarge)
    #expect(error?.expected.contains("32 MiB") == true)
  }

  @Test(arguments: ["[]", "{}", "0", "\"\""]) func `the number of values is limited and the limit is named`(
    value: String
  ) {
    let weight = value == "[]" || value == "{}" ? 8 : 1
    // The array around them counts as well.
    let most = (JSONDocument.maximumWeight - 8) / weight
    func reading(_ count: Int) -> FileError? {
      let text = "[" + Array(repeating: value, count: count).joined(separator: ",") + "]"
      return refusal { () throws(FileError) in try JSONDocument(Array(text.utf8), path: "config.json") }
    }
    #expect(reading(most) == nil)
    #expect(reading(most + 1)?.code == .jsonTooLarge)
    #expect(reading(most + 1)?.expected.contains("\(JSONDocument.maximumWeight) values") == true)
    #expect(reading(most + 1)?.location.byteOffset != nil)
  }

  @Test func `layout is detected`() throws {
    let crlf = try Self.document("{\r\n\t\"a\": 1\r\n}\r\n")
    #expect(crlf.lineBreak == "\r\n" && crlf.indentation == "\t")
    let line = try Self.document("{\"a\": {\"b\": 1}}")
    #expect(line.lineBreak == nil && line.indentation == nil)
    #expect(crlf.position(of: 4) == TextPosition(of: 4, in: crlf.bytes))
    #expect(crlf.position(of: 4).line == 2 && crlf.position(of: 4).column == 2)
  }

  @Test func `random mutations are read or refused, never a trap`() {
    let text = Array("{\n \"a\": [1, {\"b\": null}],\n \"é\": \"\\u00e9\", \"c\": 4.0e3\n}\n".utf8)
    for seed in 0..<4000 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let bytes = random.mutation(of: text, inserting: Array(#"{}[]":,\u019e.- "#.utf8) + [0x00, 0x0a, 0xc3])
      guard let document = try? JSONDocument(bytes, path: "p"), let editor = try? JSONEditor(document) else { continue }
      #expect((try? editor.edits())?.isEmpty == true, "seed \(seed)")
    }
  }
}
