import Testing

@testable import Linting

@Suite struct SpellingTests {
  @Test(arguments: [
    ("atention_factor", "attention_factor"), ("atn_factor", "attn_factor"), ("fcator", "factor"),
    ("beta_fsat", "beta_fast"),
    ("factor", nil), ("wobble", nil), ("be", nil), (String(repeating: "factor", count: 20), nil),
  ])
  func `a slip leads to the one word that is near`(_ slip: String, _ meant: String?) {
    #expect(slip.slip(of: ["attention_factor", "attn_factor", "factor", "beta_fast", "beta_slow"]) == meant)
  }

  @Test
  func `between two words that are equally near there is no guess`() {
    #expect("beta_flow".slip(of: ["beta_slow", "beta_glow"]) == nil)
  }
}
