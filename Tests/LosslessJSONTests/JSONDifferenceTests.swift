import Testing

@testable import LosslessJSON

@Suite struct JSONDifferenceTests {
  @Test(
    arguments: [
      ("{}", "{ }", nil), ("1", "1", nil), ("1", "1.0", ""), ("1", "\"1\"", ""), ("null", "false", ""),
      ("true", "false", ""), ("\"a\"", "\"\\u0061\"", nil), ("\"\u{e9}\"", "\"e\u{301}\"", ""),
      (#"{"a": 1, "b": 2}"#, #"{"b": 2, "a": 1}"#, nil), (#"{"a": 1}"#, #"{"a": 1, "b": 2}"#, "/b"),
      (#"{"a": 1, "b": 2}"#, #"{"a": 1}"#, "/b"), (#"{"a/b": [1, {"c": 2}]}"#, #"{"a/b": [1, {"c": 3}]}"#, "/a~1b/1/c"),
      ("[1, 2]", "[1]", "/1"), ("[]", "[1]", "/0"), ("[]", "{}", ""), ("[[], 1]", "[[], 1]", nil),
    ] as [(String, String, String?)])
  func `the first difference is found from both sides`(_ a: String, _ b: String, expected: String?) throws {
    let (a, b) = (try JSONDocument(Array(a.utf8), path: "a"), try JSONDocument(Array(b.utf8), path: "b"))
    #expect(a.root.firstDifference(from: b.root) == expected)
    #expect(b.root.firstDifference(from: a.root) == expected)
  }

  @Test func `values nested as deep as can be read are compared in time`() throws {
    let deep = String(repeating: "{\"a\":", count: 60) + "1" + String(repeating: "}", count: 60)
    let document = try JSONDocument(Array(deep.utf8), path: "deep")
    #expect(document.root.firstDifference(from: document.root) == nil)
  }
}
