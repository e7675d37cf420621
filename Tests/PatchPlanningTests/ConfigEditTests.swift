import PatchPlanning
import TestSupport
import Testing

@Suite struct ConfigEditTests {
  @Test(arguments: cases)
  func `a patch changes the lines a careful person would have typed`(_ test: ConfigCase) throws {
    let old = try Fixture.config(test.fixture)
    #expect(lineDifference(from: old, to: try patched(old, test.request)) == test.difference)
  }

  @Test(arguments: [("single-line", ", ", ": "), ("compact", ",", ":")])
  func `a text on one line stays on one line`(_ fixture: String, comma: String, colon: String) throws {
    let old = try Fixture.config(fixture)
    let members = [
      "\"rope_type\"\(colon)\"yarn\"", "\"factor\"\(colon)4.0",
      "\"original_max_position_embeddings\"\(colon)4096",
    ]
    let wanted = Fixture.replacing(
      old,
      [
        ("\"max_position_embeddings\"\(colon)4096", "\"max_position_embeddings\"\(colon)16384"),
        ("\"rope_scaling\"\(colon)null", "\"rope_scaling\"\(colon){\(members.joined(separator: comma))}"),
      ])
    #expect(try patched(old, request(.yarn, 4)) == wanted)
  }

  @Test func `a text without a last line end gets none`() throws {
    let new = try patched(try Fixture.config("no-trailing-newline"), request(.yarn, 4))
    #expect(new.utf8.last == UInt8(ascii: "}"))
  }
}
