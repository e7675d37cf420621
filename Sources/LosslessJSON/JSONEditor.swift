import Bytes
import Diagnostics

/// Changes to a document that leave every other byte alone: key order, indentation, spelling of numbers, line ends.
///
/// All pointers are those of the document as it was read; all changes are made in one pass. New text follows the style
/// of its surroundings, so a difference shows the lines a careful person would type.
package struct JSONEditor {
  private let document: JSONDocument
  /// By the offset of the opening bracket.
  private var containers: [Int: ContainerEdit] = [:]
  /// By the offset of the value.
  private var replacements: [Int: ByteEdit] = [:]

  /// - Throws: `jsonDisagreement` when json-c reads the document differently.
  package init(_ document: JSONDocument) throws(FileError) {
    self.document = document
    guard let first = document.disagreements.first else { return }
    throw FileError(
      .jsonDisagreement, at: document.location(of: first.pointer),
      found: "the text \(first.ours), which another JSON reader takes as \(first.theirs)",
      expected: "one that all readers understand alike", remedy: "repair this value by hand first")
  }

  /// Puts another value in the place of one.
  ///
  /// - Throws: `jsonNoSuchPlace`; `jsonDuplicateKey` when the pointer passes a key that occurs twice.
  package mutating func replace(_ pointer: String, with value: JSONText) throws(FileError) {
    let place = try place(pointer)
    let range = place.node.range
    // A value that has lines keeps its way of using them; anything else follows the container it stands in.
    let isFilled = place.node.value.members?.isEmpty == false || place.node.value.elements?.isEmpty == false
    var style = document.style(inside: isFilled ? place.containers + [place.node] : place.containers)
    let indentation = document.lineIndentation(at: range.lowerBound)
    if let parent = place.containers.last, !isFilled {
      style = style.stepping(from: document.lineIndentation(at: parent.range.lowerBound), to: indentation)
    }
    let text = value.text(in: style, indentedBy: indentation)
    replacements[range.lowerBound] = ByteEdit(
      at: UInt64(range.lowerBound), expected: Array(document.bytes[range]), replacement: Array(text.utf8))
  }

  /// Adds a member to an object: at its place when the object's keys are sorted, otherwise after a sibling, otherwise at
  /// the end.
  ///
  /// - Parameters:
  ///   - object: Pointer to the object.
  ///   - siblings: Keys after which the member should stand; the first that is there counts. Members added before and
  ///     members removed count as well.
  /// - Throws: `jsonNoSuchPlace`, also when there is no object; `jsonKeyExists`; `jsonDuplicateKey`.
  package mutating func insert(
    _ key: String, _ value: JSONText, into object: String, after siblings: [String] = []
  ) throws(FileError) {
    let place = try place(object)
    guard let members = place.node.value.members else {
      throw error(.jsonNoSuchPlace, object, "the value is not an object", "an object that can take \"\(key)\"")
    }
    var edit = try containerEdit(place)
    let keys = edit.entries.map { entry in
      switch entry {
      case .kept(let index), .removed(let index): members[index].key
      case .new(let key, _): key
      }
    }
    if zip(edit.entries, keys).contains(where: { $0.stays && $1.isExactly(key) }) {
      throw error(
        .jsonKeyExists, JSONPointer.child(key, of: object), "the key is there already", "an object without it")
    }
    // An object with fewer than two keys follows the habit of the whole document.
    let isSorted = members.count > 1 ? areSorted(members.map(\.key)) : document.keysAreSorted
    let index =
      isSorted
      ? keys.firstIndex { key.utf8.lexicographicallyPrecedes($0.utf8) } ?? keys.count
      : Self.index(after: siblings, keys, edit.entries)
    edit.entries.insert(.new(key: key, value: value), at: index)
    containers[place.node.range.lowerBound] = edit
  }

  /// Takes a member or an element away, with its line when it has one of its own.
  ///
  /// - Throws: `jsonNoSuchPlace`, also for the document itself; `jsonDuplicateKey`.
  package mutating func remove(_ pointer: String) throws(FileError) {
    var place = try place(pointer)
    guard let index = place.index, let parent = place.containers.popLast() else {
      throw error(.jsonNoSuchPlace, pointer, "the pointer means the whole document", "one of its members")
    }
    place.node = parent
    var edit = try containerEdit(place)
    if let entry = edit.entries.firstIndex(where: { if case .kept(index) = $0 { true } else { false } }) {
      edit.entries[entry] = .removed(index)
    }
    containers[parent.range.lowerBound] = edit
  }

  /// All changes so far.
  ///
  /// - Throws: `jsonEditConflict` when a change lies inside a value that another one replaces or removes.
  package func edits() throws(FileError) -> EditList {
    // Containers first: an item joining in front of a value must come before the value's replacement.
    let edits = containers.values.flatMap { $0.edits(of: document.bytes) } + replacements.values
    let ordered = edits.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
    for (earlier, later) in zip(ordered, ordered.dropFirst()) where earlier.element.end > later.element.offset {
      throw FileError(
        .jsonEditConflict, at: SourceLocation(path: document.path, byteOffset: later.element.offset),
        found: "a value is to be changed that is also replaced or removed", expected: "one change for each place",
        remedy: "ask for only one of the two changes")
    }
    return EditList(edits)
  }

  /// A value, the containers around it from the outermost, and its index in the innermost.
  private struct Place {
    var containers: [JSONNode] = []
    var index: Int?
    var node: JSONNode
  }

  private func place(_ pointer: String) throws(FileError) -> Place {
    guard let tokens = JSONPointer.tokens(of: pointer) else {
      throw error(.jsonNoSuchPlace, pointer, "this is not a JSON pointer", "keys that each follow a slash")
    }
    var place = Place(node: document.root)
    for (depth, token) in tokens.enumerated() {
      let here = JSONPointer.joining(tokens[...depth])
      let members = place.node.value.members ?? []
      let indices = members.indices.filter { members[$0].key.isExactly(token) }
      guard indices.count < 2 else {
        throw error(.jsonDuplicateKey, here, "the key occurs \(indices.count) times", "it once")
      }
      guard let child = place.node.child(token) else {
        throw error(.jsonNoSuchPlace, here, "there is no such value", "one to change")
      }
      place = Place(
        containers: place.containers + [place.node], index: indices.first ?? JSONPointer.index(token), node: child)
    }
    return place
  }

  /// The changes so far of the container at a place, or none yet.
  private func containerEdit(_ place: Place) throws(FileError) -> ContainerEdit {
    if let edit = containers[place.node.range.lowerBound] { return edit }
    guard let layout = ContainerLayout(place.node, in: document.bytes) else {
      throw error(.jsonNoSuchPlace, nil, "the value is not a container", "an array or an object")
    }
    return ContainerEdit(
      layout: layout, style: document.style(inside: place.containers + [place.node]),
      outerIndentation: document.lineIndentation(at: place.node.range.lowerBound),
      entries: layout.items.indices.map { .kept($0) })
  }

  /// Behind the first sibling that is there, and behind members that joined there before, so they keep their order.
  private static func index(after siblings: [String], _ keys: [String], _ entries: [ContainerEdit.Entry]) -> Int {
    let sibling = siblings.lazy.compactMap { sibling in keys.firstIndex { $0.isExactly(sibling) } }.first
    guard let sibling else { return entries.count }
    return entries[(sibling + 1)...].firstIndex { !$0.isNew } ?? entries.count
  }

  private func error(_ code: FileError.Code, _ pointer: String?, _ found: String, _ expected: String) -> FileError {
    FileError(
      code, at: pointer.map(document.location) ?? SourceLocation(path: document.path), found: found,
      expected: expected, remedy: "check the key and the file")
  }
}

extension ContainerEdit.Entry {
  fileprivate var isNew: Bool { if case .new = self { true } else { false } }
  /// Whether the item is there afterwards.
  fileprivate var stays: Bool { if case .removed = self { false } else { true } }
}
