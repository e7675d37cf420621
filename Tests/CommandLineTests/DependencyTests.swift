import Foundation
import Testing

@Suite struct DependencyTests {
  /// Foundation and the libraries that come with it take longer to load than the command takes to answer.
  @Test func `the command loads nothing of Foundation but FoundationEssentials`() throws {
    guard let readelf = installed("readelf", orSkip: "the list of libraries") else { return }
    let outcome = try Command.run(readelf, ["-d", Command.path])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let libraries = outcome.output.split(separator: "\n").filter { $0.contains("(NEEDED)") }.compactMap {
      $0.split(separator: "[").last?.dropLast()
    }
    #expect(libraries.contains { $0.hasPrefix("libc.so") }, "\(outcome.output)")
    #expect(libraries.filter { $0.contains("Foundation") }.allSatisfy { $0 == "libFoundationEssentials.so" })
  }

  @Test func `no library of the command loads Foundation either`() throws {
    guard let ldd = installed("ldd", orSkip: "the list of libraries") else { return }
    let outcome = try Command.run(ldd, [Command.path])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let names = outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").first?.trimming("\t") }
    #expect(names.contains { $0.hasPrefix("libc.so") }, "\(outcome.output)")
    for name in ["libFoundation.so", "libFoundationInternationalization.so", "lib_FoundationICU.so"] {
      #expect(!names.contains(name), "\(name)")
    }
  }
}

extension Substring {
  fileprivate func trimming(_ characters: String) -> String {
    String(drop { characters.contains($0) })
  }
}
