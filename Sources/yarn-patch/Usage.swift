import ArgumentParser
import Diagnostics
import PatchPlanning

/// Makes wrong usage of what is wrong with a request by itself, whatever the model.
func checkUsage(_ request: PatchRequest) throws {
  try checkUsage { () throws(FileError) in try request.check() }
}

/// The same for a length in tokens that an option gives.
func checkLength(_ tokens: Int?, _ option: String) throws {
  guard let tokens else { return }
  try checkUsage { () throws(FileError) in try PatchRequest.checkLength(tokens, option) }
}

private func checkUsage(_ check: () throws(FileError) -> Void) throws {
  do throws(FileError) { try check() } catch {
    throw ValidationError("\(error.location.path): \(error.found), expected \(error.expected)")
  }
}
