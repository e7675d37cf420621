import Glibc

/// Values made on all processors and handed over in the order of their inputs.
///
/// The inputs are taken in stretches, so that what waits to be handed over stays small whatever their number. While one is
/// handed over the next is being made.
func forEachInOrder<Input: Sendable, Output: Sendable>(
  _ inputs: [Input], workers: Int = processorCount, make: @Sendable (Input) -> Output, receive: (Output) -> Void
) {
  guard workers > 1, inputs.count > 1 else {
    for input in inputs { receive(make(input)) }
    return
  }
  let stretch = 128 * workers
  withoutActuallyEscaping(make) { make in
    // Neighbours cost alike, so each worker takes every n-th.
    func tasks(from start: Int) -> [Worker<Output>] {
      let end = min(start + stretch, inputs.count)
      return (0..<workers).map { worker in
        Worker { stride(from: start + worker, to: end, by: workers).map { make(inputs[$0]) } }
      }
    }
    var next = tasks(from: 0)
    for start in stride(from: 0, to: inputs.count, by: stretch) {
      let current = next
      next = tasks(from: start + stretch)
      var results = current.map { $0.join().makeIterator() }
      for index in 0..<min(stretch, inputs.count - start) {
        if let output = results[index % workers].next() { receive(output) }
      }
    }
    // Those behind the last stretch have nothing to make; none may outlive the call.
    for worker in next { _ = worker.join() }
  }
}

/// Processors that are there to work.
var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// A thread that makes a list.
private final class Worker<Output: Sendable>: @unchecked Sendable {
  // The thread writes the results before it ends and nobody reads them before it was joined.
  private var results: [Output] = []
  private let work: @Sendable () -> [Output]
  private var thread = pthread_t()
  private var isRunning = false

  init(_ work: @escaping @Sendable () -> [Output]) {
    self.work = work
    let box = Unmanaged.passRetained(self as AnyObject)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    // Deep JSON needs more than the least that a system gives.
    pthread_attr_setstacksize(&attributes, 8 << 20)
    isRunning =
      pthread_create(
        &thread, &attributes,
        { context in
          guard let context else { return nil }
          (Unmanaged<AnyObject>.fromOpaque(context).takeRetainedValue() as? any Running)?.run()
          return nil
        }, box.toOpaque()) == 0
    pthread_attr_destroy(&attributes)
    if !isRunning { box.release() }
  }

  /// The list, made here when no thread could be had.
  func join() -> [Output] {
    if isRunning { pthread_join(thread, nil) } else { run() }
    return results
  }
}

private protocol Running: AnyObject {
  func run()
}

extension Worker: Running {
  func run() { results = work() }
}
