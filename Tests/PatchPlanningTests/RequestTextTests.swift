import LosslessJSON
import Testing

@testable import PatchPlanning
@testable import Runtimes

@Suite struct RequestTextTests {
  static let requests: [PatchRequest] = {
    var full = PatchRequest(.yarn, reach: .factor(0.1 + 0.2))
    full.originalContext = 32768
    full.base = 1e300
    full.betaFast = .leastNonzeroMagnitude
    full.betaSlow = 0.1
    full.attentionFactor = 1.138629436111989
    full.mscale = 0.707
    full.mscaleAllDim = 2
    full.truncate = false
    full.section = "/a~1\u{e9}\""
    full.runtimes = Runtime.all
    full.encoding = .factors
    full.allowed = ["YP504", "YP608"]
    var none = PatchRequest(.none, reach: nil)
    none.truncate = true
    return [full, none] + PatchMethod.allCases.map { PatchRequest($0, reach: .context(.max)) }
  }()

  @Test(arguments: requests.indices) func `a request reads back as it was written`(index: Int) throws {
    let text = Self.requests[index].json(knownModels: nil)
    let again = PatchRequest(try JSONDocument(Array(text.compact.utf8), path: "request").root)
    #expect(again.json(knownModels: nil).pretty() == text.pretty())
    #expect(String(describing: again.reach) == String(describing: Self.requests[index].reach))
  }

  /// An option that a plan does not hold would be lost between saving and applying.
  @Test func `every option of a request is in its text`() throws {
    let text = Self.requests[0].json(knownModels: "models.json")
    let document = try JSONDocument(Array(text.compact.utf8), path: "request")
    let stated = try #require(document.root.value.members).map { $0.key == "factor" ? "reach" : $0.key }
    #expect(stated.sorted() == Mirror(reflecting: Self.requests[0]).children.compactMap(\.label).sorted())
  }

  @Test func `an option that was not given has no member`() {
    #expect(PatchRequest(reach: .factor(4)).json(knownModels: nil).compact == #"{"method":"yarn","factor":4}"#)
  }
}
