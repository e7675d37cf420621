import Diagnostics
import TestSupport
import Testing
import YarnPatch

@Suite struct MeasuredSeriesTests {
  @Test func `measurements are read with their origin and the name of what was measured`() throws {
    let series = try MeasuredSeries(
      "# by us\n#  in May \nsetting,length,perplexity\r\n as trained ,128,3.5\n\n\"YaRN, \"\"ours\"\"\",256,1e1\n",
      path: "s")
    #expect(series.origin == ["by us", "in May "])
    #expect(series.measure == "perplexity")
    #expect(series.settings == ["as trained", "YaRN, \"ours\""])
    #expect(series.points.map(\.length) == [128, 256] && series.points.map(\.value) == [3.5, 10])
  }

  @Test(
    arguments: [
      ("", nil, "no measurement"), ("setting,length,bits\n", nil, "no measurement"), ("# a\nb\n", "line 2", "1 fields"),
      ("a,b,c,d\n", "line 1", "4 fields"), ("a,128,1.5\n", "line 1", "no names of columns"),
      ("a,b,c\nx,0,1\n", "line 2", "the length is 0"), ("a,b,c\nx,1.5,1\n", "line 2", "the length is 1.5"),
      ("a,b,c\nx,1,nan\n", "line 2", "the value is nan"), ("a,b,c\n\nx,1,one\n", "line 3", "the value is one"),
    ] as [(String, String?, String)]) func `a line that is none is refused by its number`(
      text: String, line: String?, found: String
    ) throws
  {
    let error = try #require(throws: FileError.self) { _ = try MeasuredSeries(text, path: "s.csv") }
    #expect(error.code == "bad-series" && error.location.path == "s.csv")
    #expect(error.location.key == line && error.found == found)
  }

  @Test func `the trained model's own measurements are readable`() throws {
    let path = Fixture.path("series/tiny-llama-ctx256.csv")
    let guide = try guide(Fixture.path("models/tiny-llama-ctx256"), series: path)
    #expect(guide.series?.points.count == 30 && guide.series?.settings.count == 6)
    #expect(guide.series?.origin.isEmpty == false)
  }
}
