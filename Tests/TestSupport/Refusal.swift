import Diagnostics

/// The error that a call throws, or `nil` when it succeeds.
public func refusal<Value>(_ body: () throws(FileError) -> Value) -> FileError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
