import Diagnostics
import PatchPlanning
import Testing

/// A request, written short.
func request(
  _ method: PatchMethod, _ factor: Double? = nil, _ change: (inout PatchRequest) -> Void = { _ in }
) -> PatchRequest {
  var request = PatchRequest(method, reach: method == .none ? nil : .factor(factor ?? 4))
  change(&request)
  return request
}

/// The refusal of an expression, or `nil` with a recorded issue.
func refusal<T>(_ place: Testing.SourceLocation = #_sourceLocation, of body: () throws -> T) -> FileError? {
  do {
    _ = try body()
    Issue.record("nothing was refused", sourceLocation: place)
    return nil
  } catch let error as FileError {
    return error
  } catch {
    Issue.record(error, sourceLocation: place)
    return nil
  }
}
