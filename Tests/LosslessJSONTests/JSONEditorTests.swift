import Bytes
import Diagnostics
import LosslessJSON
import TestSupport
import Testing

@Suite struct JSONEditorTests {
  static let yarn = JSONText.object([("rope_type", .string("yarn")), ("factor", .float(4))])

  static let replacements = [
    EditCase(
      "a number", "{\n  \"a\": 1e6,\n  \"b\": 2\n}\n", .replace("/a", .float(1e6)),
      gives: "{\n  \"a\": 1000000.0,\n  \"b\": 2\n}\n"),
    EditCase(
      "null becomes an object, two spaces", "{\n  \"a\": null,\n  \"b\": 2\n}", .replace("/a", yarn),
      gives: "{\n  \"a\": {\n    \"rope_type\": \"yarn\",\n    \"factor\": 4.0\n  },\n  \"b\": 2\n}"),
    EditCase(
      "null becomes an object, one space", "{\n \"a\": null\n}", .replace("/a", yarn),
      gives: "{\n \"a\": {\n  \"rope_type\": \"yarn\",\n  \"factor\": 4.0\n }\n}"),
    EditCase(
      "null becomes an object, three spaces", "{\n   \"a\": null\n}", .replace("/a", yarn),
      gives: "{\n   \"a\": {\n      \"rope_type\": \"yarn\",\n      \"factor\": 4.0\n   }\n}"),
    EditCase(
      "null becomes an object, four spaces", "{\n    \"a\": null\n}", .replace("/a", yarn),
      gives: "{\n    \"a\": {\n        \"rope_type\": \"yarn\",\n        \"factor\": 4.0\n    }\n}"),
    EditCase(
      "null becomes an object, tabs and CRLF", "{\r\n\t\"a\": null\r\n}\r\n", .replace("/a", yarn),
      gives: "{\r\n\t\"a\": {\r\n\t\t\"rope_type\": \"yarn\",\r\n\t\t\"factor\": 4.0\r\n\t}\r\n}\r\n"),
    EditCase(
      "null becomes an object, one line", #"{"a": null, "b": 2}"#, .replace("/a", yarn),
      gives: #"{"a": {"rope_type": "yarn", "factor": 4.0}, "b": 2}"#),
    EditCase(
      "null becomes an object, compact", #"{"a":null,"b":2}"#, .replace("/a", yarn),
      gives: #"{"a":{"rope_type":"yarn","factor":4.0},"b":2}"#),
    EditCase(
      "null becomes an object, nested", "{\n  \"t\": {\n    \"a\": null\n  }\n}", .replace("/t/a", yarn),
      gives: "{\n  \"t\": {\n    \"a\": {\n      \"rope_type\": \"yarn\",\n      \"factor\": 4.0\n    }\n  }\n}"),
    EditCase(
      "an object becomes null", "{\n  \"a\": {\n    \"x\": 1\n  },\n  \"b\": 2\n}", .replace("/a", .null),
      gives: "{\n  \"a\": null,\n  \"b\": 2\n}"),
    EditCase(
      "an object on one line stays on one line", "{\n  \"a\": { \"x\": 1, \"y\" : 2 },\n  \"b\": 2\n}",
      .replace("/a", yarn),
      gives: "{\n  \"a\": {\"rope_type\": \"yarn\", \"factor\": 4.0},\n  \"b\": 2\n}"),
    EditCase(
      "an object over lines stays so", "{\n  \"a\": {\n      \"x\": 1\n  },\n  \"b\": 2\n}", .replace("/a", yarn),
      gives: "{\n  \"a\": {\n      \"rope_type\": \"yarn\",\n      \"factor\": 4.0\n  },\n  \"b\": 2\n}"),
    EditCase("an array element", "{\"a\": [1, 2, 3]}", .replace("/a/1", .integer(9)), gives: "{\"a\": [1, 9, 3]}"),
    EditCase("the whole document", " [1] \n", .replace("", .null), gives: " null \n"),
    EditCase(
      "a key that looks like text in a string", #"{"x": "\"a\": 1", "a": 1, "y": "\"a\": 1"}"#,
      .replace("/a", .integer(2)),
      gives: #"{"x": "\"a\": 1", "a": 2, "y": "\"a\": 1"}"#),
    EditCase("a key spelled with an escape", #"{"\u0061": 1}"#, .replace("/a", .integer(2)), gives: #"{"\u0061": 2}"#),
    EditCase("the same text", "{\"a\": 1.0}", .replace("/a", .raw("1.0")), gives: "{\"a\": 1.0}"),
    EditCase(
      "the later of two replacements counts", "{\"a\": 1}", .replace("/a", .integer(2)), .replace("/a", .integer(3)),
      gives: "{\"a\": 3}"),
    EditCase(
      "null becomes an object, mixed indentation", "{\n\t\"b\": 1,\n  \"a\": null\n}", .replace("/a", yarn),
      gives: "{\n\t\"b\": 1,\n  \"a\": {\n    \"rope_type\": \"yarn\",\n    \"factor\": 4.0\n  }\n}"),
    EditCase(
      "null becomes an object, without indentation", "{\n\"a\": null\n}", .replace("/a", yarn),
      gives: "{\n\"a\": {\n\"rope_type\": \"yarn\",\n\"factor\": 4.0\n}\n}"),
    EditCase(
      "odd colons are kept in new objects", "{\n  \"a\" : null\n}", .replace("/a", yarn),
      gives: "{\n  \"a\" : {\n    \"rope_type\" : \"yarn\",\n    \"factor\" : 4.0\n  }\n}"),
  ]

  static let insertions = [
    EditCase(
      "at the end", "{\n  \"b\": 1,\n  \"a\": 2\n}\n", .insert("c", .integer(3), into: ""),
      gives: "{\n  \"b\": 1,\n  \"a\": 2,\n  \"c\": 3\n}\n"),
    EditCase(
      "at the end, CRLF and tabs", "{\r\n\t\"b\": 1,\r\n\t\"a\": 2\r\n}", .insert("c", .integer(3), into: ""),
      gives: "{\r\n\t\"b\": 1,\r\n\t\"a\": 2,\r\n\t\"c\": 3\r\n}"),
    EditCase(
      "at the end, one line", #"{"b": 1, "a": 2}"#, .insert("c", .integer(3), into: ""),
      gives: #"{"b": 1, "a": 2, "c": 3}"#),
    EditCase(
      "at the end, compact", #"{"b":1,"a":2}"#, .insert("c", yarn, into: ""),
      gives: #"{"b":1,"a":2,"c":{"rope_type":"yarn","factor":4.0}}"#),
    EditCase(
      "at the end, the only member", "{\n    \"b\": 1\n}", .insert("a", .integer(3), into: ""),
      gives: "{\n    \"b\": 1,\n    \"a\": 3\n}"),
    EditCase(
      "at the end, one line with one member", #"{"b": 1}"#, .insert("a", .integer(3), into: ""),
      gives: #"{"b": 1, "a": 3}"#),
    EditCase(
      "at the end, compact with one member", #"{"b":1}"#, .insert("a", .integer(3), into: ""), gives: #"{"b":1,"a":3}"#),
    EditCase(
      "after a sibling", "{\n  \"b\": 1,\n  \"a\": 2\n}", .insert("c", .integer(3), into: "", after: ["x", "b", "a"]),
      gives: "{\n  \"b\": 1,\n  \"c\": 3,\n  \"a\": 2\n}"),
    EditCase(
      "after a sibling, one line", #"{"b": 1, "a": 2}"#, .insert("c", .integer(3), into: "", after: ["b"]),
      gives: #"{"b": 1, "c": 3, "a": 2}"#),
    EditCase(
      "without any of the siblings", #"{"b": 1, "a": 2}"#, .insert("c", .integer(3), into: "", after: ["x"]),
      gives: #"{"b": 1, "a": 2, "c": 3}"#),
    EditCase(
      "several in order", "{\n  \"b\": 1,\n  \"a\": 2\n}", .insert("y", .integer(3), into: "", after: ["b"]),
      .insert("x", .integer(4), into: "", after: ["b"]), .insert("z", .integer(5), into: "", after: ["y"]),
      gives: "{\n  \"b\": 1,\n  \"y\": 3,\n  \"x\": 4,\n  \"z\": 5,\n  \"a\": 2\n}"),
    EditCase(
      "several at the end", "{\n  \"b\": 1,\n  \"a\": 2\n}", .insert("y", .integer(3), into: ""),
      .insert("x", .integer(4), into: ""),
      gives: "{\n  \"b\": 1,\n  \"a\": 2,\n  \"y\": 3,\n  \"x\": 4\n}"),
    EditCase(
      "sorted keys, in the middle", "{\n  \"a\": 1,\n  \"c\": 2\n}", .insert("b", .integer(3), into: "", after: ["c"]),
      gives: "{\n  \"a\": 1,\n  \"b\": 3,\n  \"c\": 2\n}"),
    EditCase(
      "sorted keys, in front", "{\n  \"b\": 1,\n  \"c\": 2\n}", .insert("a", .integer(3), into: ""),
      gives: "{\n  \"a\": 3,\n  \"b\": 1,\n  \"c\": 2\n}"),
    EditCase(
      "sorted keys, in front, one line", #"{"b": 1, "c": 2}"#, .insert("a", .integer(3), into: ""),
      gives: #"{"a": 3, "b": 1, "c": 2}"#),
    EditCase(
      "sorted keys, in front, padded braces", #"{ "b": 1, "c": 2 }"#, .insert("a", .integer(3), into: ""),
      gives: #"{ "a": 3, "b": 1, "c": 2 }"#),
    EditCase(
      "sorted keys, at the end", "{\n  \"a\": 1,\n  \"b\": 2\n}", .insert("c", .integer(3), into: "", after: ["a"]),
      gives: "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}"),
    EditCase(
      "sorted keys, several in any order", "{\n  \"a\": 1,\n  \"d\": 2\n}", .insert("c", .integer(3), into: ""),
      .insert("b", .integer(4), into: ""), .insert("e", .integer(5), into: ""), .insert("A", .integer(6), into: ""),
      gives: "{\n  \"A\": 6,\n  \"a\": 1,\n  \"b\": 4,\n  \"c\": 3,\n  \"d\": 2,\n  \"e\": 5\n}"),
    EditCase(
      "capitals sort before small letters", "{\"Z\": 1, \"a\": 2}", .insert("_x", .integer(3), into: ""),
      gives: "{\"Z\": 1, \"_x\": 3, \"a\": 2}"),
    EditCase(
      "one key follows the document's order", "{\"a\": 1, \"t\": {\"m\": 1}}", .insert("b", .integer(3), into: "/t"),
      gives: "{\"a\": 1, \"t\": {\"b\": 3, \"m\": 1}}"),
    EditCase(
      "one key in an unsorted document", "{\"t\": {\"m\": 1}, \"a\": 1}", .insert("b", .integer(3), into: "/t"),
      gives: "{\"t\": {\"m\": 1, \"b\": 3}, \"a\": 1}"),
    EditCase(
      "an empty object over lines", "{\n  \"t\": {},\n  \"a\": 1\n}", .insert("b", .integer(3), into: "/t"),
      .insert("a", .integer(4), into: "/t"),
      gives: "{\n  \"t\": {\n    \"b\": 3,\n    \"a\": 4\n  },\n  \"a\": 1\n}"),
    EditCase(
      "an empty object on one line", #"{"t": {}, "a": 1}"#, .insert("b", .integer(3), into: "/t"),
      gives: #"{"t": {"b": 3}, "a": 1}"#),
    EditCase(
      "an empty object with space inside", #"{"t":{ },"a":1}"#, .insert("b", .integer(3), into: "/t"),
      gives: #"{"t":{"b":3},"a":1}"#),
    EditCase("an empty document", "{}\n", .insert("b", .integer(3), into: ""), gives: "{\"b\": 3}\n"),
    EditCase(
      "an empty document over lines", "{\r\n}\r\n", .insert("b", .integer(3), into: ""),
      gives: "{\r\n  \"b\": 3\r\n}\r\n"),
    EditCase(
      "an object inside an object", "{\n\t\"t\": {\n\t\t\"x\": 1\n\t}\n}", .insert("y", yarn, into: "/t"),
      gives:
        "{\n\t\"t\": {\n\t\t\"x\": 1,\n\t\t\"y\": {\n\t\t\t\"rope_type\": \"yarn\",\n\t\t\t\"factor\": 4.0\n\t\t}\n\t}\n}"
    ),
    EditCase(
      "an inline object in a document over lines", "{\n  \"t\": {\"x\": 1}\n}", .insert("y", .integer(2), into: "/t"),
      gives: "{\n  \"t\": {\"x\": 1, \"y\": 2}\n}"),
    EditCase(
      "inside an array", "[\n  {\n    \"x\": 1\n  }\n]", .insert("y", .integer(2), into: "/0"),
      gives: "[\n  {\n    \"x\": 1,\n    \"y\": 2\n  }\n]"),
    EditCase(
      "space before commas stays", "{\n  \"b\" : 1 ,\n  \"a\" : 2\n}",
      .insert("c", .integer(3), into: "", after: ["b"]),
      gives: "{\n  \"b\" : 1 ,\n  \"c\" : 3,\n  \"a\" : 2\n}"),
    EditCase(
      "blank lines stay behind the new line", "{\n  \"b\": 1,\n\n  \"a\": 2\n}",
      .insert("c", .integer(3), into: "", after: ["b"]),
      gives: "{\n  \"b\": 1,\n  \"c\": 3,\n\n  \"a\": 2\n}"),
    EditCase(
      "the first member beside the brace", "{\"b\": 1,\n \"a\": 2,\n \"0\": 3}", .insert("c", .integer(4), into: ""),
      gives: "{\"b\": 1,\n \"a\": 2,\n \"0\": 3,\n \"c\": 4}"),
    EditCase(
      "two members on a line", "{\n  \"b\": 1, \"a\": 2,\n  \"0\": 3\n}",
      .insert("c", .integer(4), into: "", after: ["a"]),
      gives: "{\n  \"b\": 1, \"a\": 2,\n  \"c\": 4,\n  \"0\": 3\n}"),
    EditCase(
      "mixed indentation: that of the line before", "{\n\t\"b\": 1,\n  \"a\": 2,\n    \"0\": 3\n}",
      .insert("c", yarn, into: "", after: ["a"]),
      .insert("d", .integer(4), into: "", after: ["b"]),
      gives:
        "{\n\t\"b\": 1,\n\t\"d\": 4,\n  \"a\": 2,\n  \"c\": {\n    \"rope_type\": \"yarn\",\n    \"factor\": 4.0\n  },\n    \"0\": 3\n}"
    ),
    EditCase(
      "a key that needs escapes", "{\"b\": 1, \"a\": 2}", .insert("q\"/", .string("\n"), into: ""),
      gives: "{\"b\": 1, \"a\": 2, \"q\\\"/\": \"\\n\"}"),
  ]

  static let removals = [
    EditCase(
      "the first", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n", .remove("/a"),
      gives: "{\n  \"b\": 2,\n  \"c\": 3\n}\n"),
    EditCase(
      "the middle", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", .remove("/b"), gives: "{\n  \"a\": 1,\n  \"c\": 3\n}"),
    EditCase(
      "the last", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", .remove("/c"), gives: "{\n  \"a\": 1,\n  \"b\": 2\n}"),
    EditCase("the only one", "{\n  \"a\": 1\n}\n", .remove("/a"), gives: "{}\n"),
    EditCase(
      "the only one of an inner object", "{\r\n\t\"t\": {\r\n\t\t\"a\": 1\r\n\t}\r\n}", .remove("/t/a"),
      gives: "{\r\n\t\"t\": {}\r\n}"),
    EditCase("all", "{\"a\": 1, \"b\": 2}", .remove("/a"), .remove("/b"), gives: "{}"),
    EditCase(
      "the last two", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", .remove("/c"), .remove("/b"),
      gives: "{\n  \"a\": 1\n}"),
    EditCase("the first two", "{\"a\": 1, \"b\": 2, \"c\": 3}", .remove("/a"), .remove("/b"), gives: "{\"c\": 3}"),
    EditCase(
      "first and last", "{\r\n \"a\": 1,\r\n \"b\": 2,\r\n \"c\": 3\r\n}", .remove("/a"), .remove("/c"),
      gives: "{\r\n \"b\": 2\r\n}"),
    EditCase("the first, one line", #"{"a": 1, "b": 2, "c": 3}"#, .remove("/a"), gives: #"{"b": 2, "c": 3}"#),
    EditCase("the middle, one line", #"{"a": 1, "b": 2, "c": 3}"#, .remove("/b"), gives: #"{"a": 1, "c": 3}"#),
    EditCase("the last, one line", #"{ "a": 1, "b": 2 }"#, .remove("/b"), gives: #"{ "a": 1 }"#),
    EditCase("the middle, compact", #"{"a":1,"b":2,"c":3}"#, .remove("/b"), gives: #"{"a":1,"c":3}"#),
    EditCase(
      "an object over lines", "{\n  \"a\": 1,\n  \"b\": {\n    \"x\": 1\n  },\n  \"c\": 3\n}", .remove("/b"),
      gives: "{\n  \"a\": 1,\n  \"c\": 3\n}"),
    EditCase(
      "a line with its own indentation", "{\n  \"a\": 1,\n      \"b\": 2,\n  \"c\": 3\n}", .remove("/b"),
      gives: "{\n  \"a\": 1,\n  \"c\": 3\n}"),
    EditCase(
      "the first of two on a line", "{\n  \"a\": 1, \"b\": 2,\n  \"c\": 3\n}", .remove("/a"),
      gives: "{\n  \"b\": 2,\n  \"c\": 3\n}"),
    EditCase(
      "the second of two on a line", "{\n  \"a\": 1, \"b\": 2,\n  \"c\": 3\n}", .remove("/b"),
      gives: "{\n  \"a\": 1,\n  \"c\": 3\n}"),
    EditCase("beside the opening brace", "{\"a\": 1,\n \"b\": 2}", .remove("/a"), gives: "{\"b\": 2}"),
    EditCase(
      "space before commas stays", "{\n  \"a\": 1 ,\n  \"b\": 2 ,\n  \"c\": 3\n}", .remove("/b"),
      gives: "{\n  \"a\": 1 ,\n  \"c\": 3\n}"),
    EditCase("an element", "[\n  1,\n  2,\n  3\n]", .remove("/2"), gives: "[\n  1,\n  2\n]"),
    EditCase("elements", "[1, 2, 3, 4]", .remove("/0"), .remove("/2"), gives: "[2, 4]"),
    EditCase("twice", "[1, 2]", .remove("/0"), .remove("/0"), gives: "[2]"),
  ]

  static let combinations = [
    EditCase(
      "another key at the place of a removed one", "{\n  \"type\": 1,\n  \"factor\": 2\n}", .remove("/type"),
      .insert("rope_type", .integer(3), into: "", after: ["type"]), gives: "{\n  \"rope_type\": 3,\n  \"factor\": 2\n}"),
    EditCase(
      "the same key again", "{\n  \"b\": 1,\n  \"a\": 2\n}", .remove("/a"),
      .insert("a", .integer(3), into: "", after: ["a"]),
      gives: "{\n  \"b\": 1,\n  \"a\": 3\n}"),
    EditCase(
      "the last one leaves and another joins", "{\n  \"b\": 1 ,\n  \"a\": 2\n}\n", .remove("/a"),
      .insert("c", .integer(3), into: ""),
      gives: "{\n  \"b\": 1 ,\n  \"c\": 3\n}\n"),
    EditCase(
      "the only one leaves and two join", "{\n    \"b\": 1\n}\n", .remove("/b"), .insert("c", .integer(3), into: ""),
      .insert("a", .integer(4), into: ""), gives: "{\n    \"c\": 3,\n    \"a\": 4\n}\n"),
    EditCase(
      "the only one leaves and another joins, one line", #"{ "b": 1 }"#, .remove("/b"),
      .insert("c", .integer(3), into: ""), gives: #"{ "c": 3 }"#),
    EditCase(
      "first leaves, last joins, middle changes", #"{"c": 1, "b": 2}"#, .remove("/c"), .replace("/b", .integer(9)),
      .insert("a", .integer(3), into: ""), gives: #"{"b": 9, "a": 3}"#),
    EditCase(
      "joining before a replaced element's object", "[{\"a\":1},{\"b\":{}}]", .replace("/0", .null),
      .insert("c", .integer(1), into: "/1/b"),
      gives: "[null,{\"b\":{\"c\":1}}]"),
    EditCase(
      "nested objects at once", "{\n  \"t\": {\n    \"x\": 1\n  },\n  \"s\": 1\n}",
      .insert("y", .integer(2), into: "/t"),
      .insert("u", .integer(3), into: "", after: ["t"]), .replace("/t/x", .integer(0)),
      gives: "{\n  \"t\": {\n    \"x\": 0,\n    \"y\": 2\n  },\n  \"u\": 3,\n  \"s\": 1\n}"),
    EditCase(
      "value and neighbour, compact", #"{"b":1,"a":2}"#, .replace("/a", .integer(10)),
      .insert("c", .integer(3), into: ""),
      .remove("/b"), gives: #"{"a":10,"c":3}"#),
    EditCase("nothing", "{ \"a\" :1e5,\r\n}".replacing(",", with: ""), gives: "{ \"a\" :1e5\r\n}"),
  ]

  @Test(arguments: replacements + insertions + removals + combinations)
  func `changes give exactly the expected text`(_ edit: EditCase) throws {
    #expect(try apply(edits(of: edit.given, edit.changes), to: edit.given) == edit.expected)
  }

  @Test(
    arguments: [
      (.replace("/x", .null), "json-no-such-place", "/x"), (.replace("/a/x", .null), "json-no-such-place", "/a/x"),
      (.replace("a", .null), "json-no-such-place", "a"), (.remove(""), "json-no-such-place", ""),
      (.remove("/x"), "json-no-such-place", "/x"),
      (.insert("a", .null, into: ""), "json-key-exists", "/a"),
      (.insert("x", .null, into: "/a"), "json-no-such-place", "/a"),
      (.insert("x", .null, into: "/l"), "json-no-such-place", "/l"),
      (.replace("/d", .null), "json-duplicate-key", "/d"),
      (.insert("x", .null, into: "/d"), "json-duplicate-key", "/d"),
    ] as [(Change, String, String)])
  func `changes that cannot be made are refused with the place`(_ change: Change, _ code: String, _ key: String) {
    let text = #"{"a": 1, "l": [], "d": {}, "d": {}}"#
    let error = refusal { () throws(FileError) in try edits(of: text, [change]) }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.key == key)
  }

  @Test func `changes inside what is replaced or removed are refused`() {
    let text = #"{"t": {"x": 1, "y": {}}, "z": 1}"#
    let inner: [Change] = [
      .replace("/t/x", .null), .insert("q", .null, into: "/t"), .insert("q", .null, into: "/t/y"), .remove("/t/x"),
    ]
    for outer in [Change.replace("/t", .null), .remove("/t"), .replace("", .null)] {
      for change in inner {
        #expect(refusal { () throws(FileError) in try edits(of: text, [change, outer]) }?.code == .jsonEditConflict)
      }
    }
  }

  @Test func `an added key counts as there`() {
    let twice: [Change] = [.insert("b", .null, into: ""), .insert("b", .null, into: "")]
    #expect(refusal { () throws(FileError) in try edits(of: "{}", twice) }?.code == .jsonKeyExists)
  }
}
