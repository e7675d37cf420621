import Testing

@testable import Linting

@Suite struct NumberTextTests {
  @Test(
    arguments: [
      (4.0, "4"), (1.138629436, "1.139"), (123_456, "123500"), (0.000123456, "0.0001235"), (0, "0"), (-2.5, "-2.5"),
      (.leastNonzeroMagnitude, "5e-324"), (123_456_789, "123500000"), (.infinity, "inf"),
    ] as [(Double, String)])
  func `what was computed has four digits, and every number has a text`(_ number: Double, _ text: String) {
    #expect(rounded(number) == text)
  }

  @Test
  func `names are listed as a sentence does it`() {
    #expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(\.listed) == ["", "a", "a and b", "a, b and c"])
  }
}
