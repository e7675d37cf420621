import Testing

@testable import Linting

@Suite struct MessageTests {
  /// What a finding promises is in its message: numbers of this file, and a command.
  @Test(arguments: [
    ("YP201", "short", "vllm and sglang take 32768"), ("YP201", "headroom", "Qwen3, which was trained on 32768"),
    ("YP202", "outside", "transformers4 and mlx-lm take 32768, transformers5, vllm and sglang take 4096"),
    ("YP203", "odd-original", "factor 3.2768 is needed"), ("YP204", "unneeded", "--method none"),
    ("YP208", "n-positions", "in vllm."), ("YP301", "known", "published with 1000000"),
    ("YP302", "inside", "transformers4 and mlx-lm take 1000000"), ("YP306", "tiny-original", "1 of 64 pairs keep"),
    ("YP307", "gpt-oss", "up to 76.27 %"), ("YP307", "gpt-oss", "trained with the exact bounds"),
    ("YP307", "mlx", "--truncate` for the rounded"),
    ("YP205", "recorded-forty-eight", "Evaluate at the lengths you serve"), ("YP802", "short-window", "Serve 2048, or"),
    ("YP502", "longrope", "transformers4, transformers5 and sglang rotate"),
    ("YP502", "dynamic", "transformers4, transformers5 and mlx-lm rotate"),
    ("YP503", "small-base", "about 1707 tokens"),
    ("YP505", "deepseek", "factor 80 on 4096"),
  ])
  func `a message has the numbers of the file`(_ rule: String, _ name: String, _ phrase: String) throws {
    let messages = try LintCase(rule: rule, fires: true, name: name).own().map(\.message)
    #expect(messages.count == 1 && messages[0].contains(phrase), "\(messages)")
  }
}
