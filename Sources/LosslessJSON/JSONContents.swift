/// A text's tape with what the keys of its objects tell.
final class JSONContents: Sendable {
  /// From so many keys on an object keeps its table; fewer are looked through as fast.
  private static let manyKeys = 500

  let tape: JSONTape
  /// Each key that occurs again in its object, with the same key before it, in the order of the text.
  let repeatedKeys: [(first: Int, second: Int)]
  /// By the object's entry.
  private let tables: [Int: KeyTable]

  init(_ tape: JSONTape) {
    self.tape = tape
    var repeated: [(first: Int, second: Int)] = []
    var tables: [Int: KeyTable] = [:]
    var table = KeyTable()
    for object in tape.entries.indices where tape.isObject(object) {
      let count = tape.items(of: object).reduce(0) { count, _ in count + 1 }
      guard count > 1 else { continue }
      table.reset(for: count)
      for key in tape.items(of: object) {
        if let earlier = table.insert(key, of: tape) { repeated.append((earlier, key)) }
      }
      if count >= Self.manyKeys {
        tables[object] = table
        table = KeyTable()
      }
    }
    repeatedKeys = repeated.sorted { $0.second < $1.second }
    self.tables = tables
  }

  /// The last member of an object with this key.
  func value(of key: String, in object: Int) -> Int? {
    var key = key
    return key.withUTF8 { value(of: UnsafeRawBufferPointer($0), in: object) }
  }

  func value(of key: UnsafeRawBufferPointer, in object: Int) -> Int? {
    guard !tables.isEmpty, let table = tables[object] else { return tape.value(of: key, in: object) }
    return table.key(key, of: tape).map { $0 + 1 }
  }

  /// The value at a JSON pointer without escapes; `nil` when there is none.
  func value(at pointer: UnsafeRawBufferPointer) -> Int? {
    guard pointer.isEmpty || pointer[0] == UInt8(ascii: "/") else { return nil }
    var (place, start) = (0, 1)
    while start <= pointer.count {
      var end = start
      while end < pointer.count, pointer[end] != UInt8(ascii: "/") { end += 1 }
      let token = UnsafeRawBufferPointer(rebasing: pointer[start..<end])
      switch tape.first(place) {
      case UInt8(ascii: "{"):
        guard let value = value(of: token, in: place) else { return nil }
        place = value
      case UInt8(ascii: "["):
        let index = JSONPointer.index(String(decoding: token, as: UTF8.self))
        guard let index, let item = tape.items(of: place).dropFirst(index).first(where: { _ in true }) else {
          return nil
        }
        place = item
      default: return nil
      }
      start = end + 1
    }
    return place
  }
}
