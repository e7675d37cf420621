/// Where every value and every key of a text stands, in the order of the text; what they say is read when it is asked
/// for.
///
/// A config can hold megabytes that nobody looks at, such as its labels or a list of quantized modules. An entry takes 12
/// bytes and no allocation of its own:
///
/// ```
/// entry   0            1      2        3    4
///         {            "a"    [        1    2
/// next    5            2      5        4    5
/// ```
struct JSONTape: Sendable {
  /// A value or a key. Offsets and counts fit: see `JSONDocument.maximumSize`.
  struct Entry: Sendable {
    /// First byte, and the one behind the last.
    var start: UInt32, end: UInt32
    /// The entry that follows this one and all that it contains.
    var next: UInt32
  }

  let bytes: [UInt8]
  let entries: [Entry]
  /// Whether any string or key is written with an escape.
  let hasEscapes: Bool

  func range(_ index: Int) -> Range<Int> { Int(entries[index].start)..<Int(entries[index].end) }
  func next(_ index: Int) -> Int { Int(entries[index].next) }

  /// The first byte, which tells the kind of a value.
  func first(_ index: Int) -> UInt8 { bytes[Int(entries[index].start)] }
  func isObject(_ index: Int) -> Bool { first(index) == UInt8(ascii: "{") }

  /// What a string or a key says.
  func text(_ index: Int) -> String { JSONScanner.text(of: range(index), in: bytes) }

  /// Whether a string or a key says exactly these bytes. An escape is longer than what it stands for.
  func text(_ index: Int, is wanted: UnsafeRawBufferPointer) -> Bool {
    let content = Int(entries[index].start) + 1..<Int(entries[index].end) - 1
    guard content.count == wanted.count else {
      return hasEscapes && content.count > wanted.count && bytes[content].contains(UInt8(ascii: "\\"))
        && text(index).utf8.elementsEqual(wanted)
    }
    for i in 0..<wanted.count where bytes[content.lowerBound + i] != wanted[i] { return false }
    return !hasEscapes || !wanted.contains(UInt8(ascii: "\\"))
  }

  /// The last member of an object with this key, looked for from the first to the last.
  func value(of key: UnsafeRawBufferPointer, in object: Int) -> Int? {
    var (value, item): (Int?, Int) = (nil, object + 1)
    while item < next(object) {
      if text(item, is: key) { value = item + 1 }
      item = next(item + 1)
    }
    return value
  }

  /// The elements of an array, or the keys of an object, each of which is followed by its value.
  func items(of container: Int) -> Items { Items(tape: self, container) }

  struct Items: Sequence, IteratorProtocol {
    private let tape: JSONTape
    private var index: Int
    private let end: Int
    /// From an item to its value.
    private let valueDistance: Int

    init(tape: JSONTape, _ container: Int) {
      self.tape = tape
      index = container + 1
      end = tape.next(container)
      valueDistance = tape.isObject(container) ? 1 : 0
    }

    mutating func next() -> Int? {
      guard index < end else { return nil }
      defer { index = tape.next(index + valueDistance) }
      return index
    }
  }
}

extension JSONTape {
  /// JSON pointers to some values, which come in the order of the text; one walk serves all.
  func pointers(to values: some Sequence<Int>) -> [String] {
    var levels: [Level] = []
    return values.map { value in
      guard value > 0 else { return "" }
      while let last = levels.last, value >= next(last.container) { levels.removeLast() }
      if levels.isEmpty { levels = [Level(container: 0, items: items(of: 0))] }
      while let value = levels[levels.count - 1].move(to: value, in: self) {
        levels.append(Level(container: value, items: items(of: value)))
      }
      return JSONPointer.joining(levels.map { $0.token(in: self) })
    }
  }

  /// A container on the way to a value.
  private struct Level {
    let container: Int
    var items: Items
    /// The item on the way, and how many stand before it.
    var item = 0, place = -1

    /// Goes on to the item whose value is or contains `target`.
    ///
    /// - Returns: That value when it only contains the target.
    mutating func move(to target: Int, in tape: JSONTape) -> Int? {
      let toValue = tape.isObject(container) ? 1 : 0
      while place < 0 || target >= tape.next(item + toValue), let next = items.next() {
        item = next
        place += 1
      }
      return item + toValue < target ? item + toValue : nil
    }

    func token(in tape: JSONTape) -> String { tape.isObject(container) ? tape.text(item) : String(place) }
  }
}
