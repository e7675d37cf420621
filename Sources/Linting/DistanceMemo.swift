import RoPE
import Synchronization

/// First negative distances of tables that were met before.
///
/// The search takes longer than everything else that the rules ask of a model, and thousands of models share some dozens
/// of tables.
package final class DistanceMemo: Sendable {
  private struct Question: Hashable {
    var inverseFrequencies: [Double]
    var limit: Int
  }

  /// More tables than any collection has; those that come later are searched each time.
  private static let mostTables = 4096
  private let answers = Mutex<[Question: Int?]>([:])

  package init() {}

  /// See ``FrequencyTable/firstNegativeDistance(upTo:)``.
  func firstNegativeDistance(of table: FrequencyTable, upTo limit: Int) -> Int? {
    let question = Question(inverseFrequencies: table.inverseFrequencies, limit: limit)
    if let known = answers.withLock({ $0[question] }) { return known }
    let answer = table.firstNegativeDistance(upTo: limit)
    answers.withLock { if $0.count < Self.mostTables { $0[question] = .some(answer) } }
    return answer
  }
}
