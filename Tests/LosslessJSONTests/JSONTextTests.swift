import LosslessJSON
import Testing

@Suite struct JSONTextTests {
  @Test(
    arguments: [
      (4, "4", "4.0"), (1_000_000, "1000000", "1000000.0"), (0.1, "0.1", "0.1"), (1e-05, "1e-05", "1e-05"),
      (0.0001, "0.0001", "0.0001"), (-2.5, "-2.5", "-2.5"), (0, "0", "0.0"), (-0.0, "-0.0", "-0.0"),
      (9_007_199_254_740_991, "9007199254740991", "9007199254740991.0"),
      (9_007_199_254_740_994, "9007199254740994.0", "9007199254740994.0"),
      (9.99e15, "9990000000000000.0", "9990000000000000.0"),
      (1e16, "1e+16", "1e+16"), (1e22, "1e+22", "1e+22"), (.leastNonzeroMagnitude, "5e-324", "5e-324"),
      (1.2345678901234568e17, "1.2345678901234568e+17", "1.2345678901234568e+17"),
      (.nan, "null", "null"), (-.infinity, "null", "null"),
    ] as [(Double, String, String)])
  func `doubles are short, and floats are spelled as Python does`(_ value: Double, _ number: String, _ float: String) {
    #expect(JSONText.number(value).compact == number)
    #expect(JSONText.float(value).compact == float)
  }

  @Test func `strings escape what they must and what does not show`() {
    let text = JSONText.string("\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{9f}<>&é\u{2028}\u{202e}\u{e0001}😀e\u{301}")
      .compact
    #expect(text == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u009f<>&é\\u2028\\u202e\\udb40\\udc01😀e\u{301}\"")
  }

  static let tree = JSONText.object([
    ("a", .array([.integer(1), .bool(true), .null])), ("b", .object([])), ("c", .array([])), ("d", .raw("4.00")),
    ("e", .object([("f", .string("x"))])),
  ])

  @Test func `compact text has no spaces`() {
    #expect(Self.tree.compact == #"{"a":[1,true,null],"b":{},"c":[],"d":4.00,"e":{"f":"x"}}"#)
  }

  @Test func `pretty text has one item per line`() {
    #expect(
      Self.tree.pretty() == """
        {
          "a": [
            1,
            true,
            null
          ],
          "b": {},
          "c": [],
          "d": 4.00,
          "e": {
            "f": "x"
          }
        }
        """)
    #expect(JSONText.array([.integer(1)]).pretty(indent: "\t", newline: "\r\n", level: 1) == "[\r\n\t\t1\r\n\t]")
  }

  @Test func `what is written is read back`() throws {
    let strings = ["", "\"\\\u{1}\u{1f}é😀", "\r\n"]
    let text = JSONText.array(strings.map { .string($0) }).compact
    let document = try JSONDocument(Array(text.utf8), path: "p")
    #expect(document.root.value.elements?.map(\.value.string) == strings)
  }
}
